/**
 * Reads the file in which ZooKeeper has the users of SASL: Java's configuration of logins (JAAS), with a section of modules for each who
 * logs in or is logged in to. Source: sun.security.provider.ConfigFile. Unlike Java it says everything that is wrong, and takes no
 * properties of Java inside of values.
 */

export type JaasProblem = { readonly line: number; readonly rule: string };

export type JaasOption = { readonly key: string; readonly value: string; readonly line: number };

export type JaasModule = {
  readonly name: string;
  readonly line: number;
  readonly options: readonly JaasOption[];
};

export type JaasSection = {
  readonly name: string;
  readonly line: number;
  readonly modules: readonly JaasModule[];
};

export type Jaas = {
  readonly sections: readonly JaasSection[];
  readonly problems: readonly JaasProblem[];
};

export function readJaas(text: string): Jaas {
  const problems: JaasProblem[] = [];
  const cursor: Cursor = { tokens: tokensOf(text, problems), at: 0, problems };
  const sections: JaasSection[] = [];
  while (tokenAt(cursor) !== undefined) {
    const section = readSection(cursor);
    if (section === undefined) continue;
    if (sections.some(({ name }) => name === section.name)) {
      problems.push({ line: section.line, rule: `the section ${section.name} comes twice` });
    }
    sections.push(section);
  }
  return { sections, problems: problems.toSorted((left, right) => left.line - right.line) };
}

type Token = {
  /** A sign stands for itself. */
  readonly kind: "word" | "sign";
  readonly text: string;
  readonly line: number;
};

type Cursor = {
  readonly tokens: readonly Token[];
  at: number;
  readonly problems: JaasProblem[];
};

function tokenAt({ tokens, at }: Cursor): Token | undefined {
  return tokens[at];
}

function isSign(cursor: Cursor, text: string): boolean {
  const token = tokenAt(cursor);
  return token?.kind === "sign" && token.text === text;
}

/** Where the reader is, or the last line. */
function lineAt(cursor: Cursor): number {
  return (tokenAt(cursor) ?? cursor.tokens.at(-1))?.line ?? 1;
}

/** The token is not shown: it may be part of a password. */
function expected(cursor: Cursor, what: string): undefined {
  const where = tokenAt(cursor) === undefined ? "at the end of the file" : "here";
  cursor.problems.push({ line: lineAt(cursor), rule: `must have ${what} ${where}` });
  return undefined;
}

function takeSign(cursor: Cursor, text: string): boolean {
  if (!isSign(cursor, text)) {
    expected(cursor, `"${text}"`);
    return false;
  }
  cursor.at += 1;
  return true;
}

function takeWord(cursor: Cursor, what: string): Token | undefined {
  const token = tokenAt(cursor);
  if (token?.kind !== "word") return expected(cursor, what);
  cursor.at += 1;
  return token;
}

/** Goes on behind the next of these signs, so that what is wrong there is found as well. */
function skipBehind(cursor: Cursor, sign: string): void {
  while (tokenAt(cursor) !== undefined && !isSign(cursor, sign)) cursor.at += 1;
  cursor.at += 1;
}

function readSection(cursor: Cursor): JaasSection | undefined {
  const name = takeWord(cursor, "the name of a section");
  if (name === undefined || !takeSign(cursor, "{")) {
    skipBehind(cursor, "}");
    if (isSign(cursor, ";")) cursor.at += 1;
    return undefined;
  }
  const modules: JaasModule[] = [];
  while (tokenAt(cursor) !== undefined && !isSign(cursor, "}")) {
    const module = readModule(cursor);
    if (module === undefined) skipModule(cursor);
    else modules.push(module);
  }
  if (takeSign(cursor, "}")) takeSign(cursor, ";");
  return { name: name.text, line: name.line, modules };
}

function skipModule(cursor: Cursor): void {
  while (tokenAt(cursor) !== undefined && !isSign(cursor, ";") && !isSign(cursor, "}"))
    cursor.at += 1;
  if (isSign(cursor, ";")) cursor.at += 1;
}

const FLAGS: readonly string[] = ["required", "requisite", "sufficient", "optional"];

function readModule(cursor: Cursor): JaasModule | undefined {
  const name = takeWord(cursor, "the class of a module");
  if (name === undefined) return undefined;
  const flag = tokenAt(cursor);
  if (flag?.kind !== "word" || !FLAGS.includes(flag.text.toLowerCase())) {
    return expected(cursor, `${FLAGS.join(", ")}, behind the class of a module`);
  }
  cursor.at += 1;
  const options: JaasOption[] = [];
  while (tokenAt(cursor) !== undefined && !isSign(cursor, ";")) {
    const option = readOption(cursor);
    if (option === undefined) return undefined;
    options.push(option);
  }
  if (!takeSign(cursor, ";")) return undefined;
  return { name: name.text, line: name.line, options };
}

function readOption(cursor: Cursor): JaasOption | undefined {
  const key = takeWord(cursor, 'an option, or ";" behind the last one');
  if (key === undefined || !takeSign(cursor, "=")) return undefined;
  const value = takeWord(cursor, "the value of an option, in quotes unless it is a word");
  if (value === undefined) return undefined;
  if (value.text.includes("${")) {
    const rule = `the value of ${key.text} must hold no properties of Java (\${…}), which there are none of`;
    cursor.problems.push({ line: value.line, rule });
  }
  return { key: key.text, value: value.text, line: key.line };
}

const WHITE_SPACE = /[\0-\x20]/;
const WORD_BEGIN = /[A-Za-z$_*\u00a0-\uffff]/;
const WORD = /[\w$*.\-\u00a0-\uffff]/;

/** As Java's StreamTokenizer cuts the text; a number is no word to it. */
function tokensOf(text: string, problems: JaasProblem[]): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const letter = text.charAt(at);
    if (letter === "\n" || (letter === "\r" && text[at + 1] !== "\n")) line += 1;
    if (letter === '"') {
      const { value, end } = quotedAt(text, at + 1);
      if (text[end] !== '"') problems.push({ line, rule: "a quote must be closed on its line" });
      tokens.push({ kind: "word", text: value, line });
      at = text[end] === '"' ? end + 1 : end;
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      const comment = text.slice(at, end === -1 ? undefined : end + 2);
      line += comment.split(/\r\n|\n|\r/).length - 1;
      at += comment.length;
    } else if (letter === "/") {
      while (at < text.length && !/[\r\n]/.test(text.charAt(at))) at += 1;
    } else if (WORD_BEGIN.test(letter)) {
      let end = at + 1;
      while (end < text.length && WORD.test(text.charAt(end))) end += 1;
      tokens.push({ kind: "word", text: text.slice(at, end), line });
      at = end;
    } else {
      if (!WHITE_SPACE.test(letter)) tokens.push({ kind: "sign", text: letter, line });
      at += 1;
    }
  }
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: "\u0007", b: "\b", f: "\f", n: "\n" },
  ...{ r: "\r", t: "\t", v: "\u000b" },
};

/** Reads up to the quote that closes, or to the end of the line. */
function quotedAt(text: string, from: number): { readonly value: string; readonly end: number } {
  let value = "";
  let at = from;
  while (at < text.length && !/["\r\n]/.test(text.charAt(at))) {
    if (text[at] !== "\\") {
      value += text.charAt(at);
      at += 1;
      continue;
    }
    const octal = /^(?:[0-3][0-7]{0,2}|[4-7][0-7]?)/.exec(text.slice(at + 1, at + 4))?.[0];
    if (octal === undefined) {
      const escape = text.charAt(at + 1);
      value += ESCAPES[escape] ?? escape;
      at += 2;
    } else {
      value += String.fromCharCode(Number.parseInt(octal, 8));
      at += 1 + octal.length;
    }
  }
  return { value, end: Math.min(at, text.length) };
}
