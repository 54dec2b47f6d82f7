/**
 * A small reader of TypeScript sources, for the tests of the layout and of the words: it finds the imports and the comments, and
 * blanks out comments, strings and regular expressions so that a name in them is not taken for code. Line breaks stay where they are.
 */

export type Import = {
  readonly specifier: string;
  /** `import type`, `export type`: gone when the program runs. */
  readonly typeOnly: boolean;
  readonly line: number;
};

/** A comment without its slashes and asterisks, on one line. Line comments that follow each other are one. */
export type Comment = { readonly text: string; readonly line: number };

type Scanner = {
  readonly source: string;
  position: number;
  /** Comments blanked. */
  withStrings: string;
  /** Comments, strings and regular expressions blanked. */
  bare: string;
  /** Where comments stand, as written. */
  readonly comments: { readonly start: number; readonly text: string }[];
};

const QUOTES = new Set(['"', "'"]);
/** After one of these a slash begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:[(,=:[!&|?{};+*%<>~^-]|\b(?:return|typeof|case|in|of|void|throw)|^)\s*$/;

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, " ");
}

function take(scanner: Scanner, length: number, what: "code" | "string" | "comment"): void {
  const text = scanner.source.slice(scanner.position, scanner.position + length);
  scanner.withStrings += what === "comment" ? blank(text) : text;
  scanner.bare += what === "code" ? text : blank(text);
  if (what === "comment") scanner.comments.push({ start: scanner.position, text });
  scanner.position += length;
}

/** Length of the literal at `start` up to its closing mark; a backslash protects the next character. */
function literalLength(source: string, start: number, close: string): number {
  let inClass = false;
  for (let at = start + 1; at < source.length; at += 1) {
    const char = source[at];
    if (char === "\\") at += 1;
    else if (close === "/" && char === "[") inClass = true;
    else if (close === "/" && char === "]") inClass = false;
    else if (char === close && !inClass) return at + 1 - start;
  }
  return source.length - start;
}

function commentLength(source: string, start: number): number {
  const isLine = source[start + 1] === "/";
  const end = source.indexOf(isLine ? "\n" : "*/", start + 2);
  if (end === -1) return source.length - start;
  return end + (isLine ? 0 : 2) - start;
}

/** The template literal at the position; what stands in `${…}` is code. */
function scanTemplate(scanner: Scanner): void {
  take(scanner, 1, "string");
  while (scanner.position < scanner.source.length) {
    const char = scanner.source[scanner.position];
    if (char === "`") {
      take(scanner, 1, "string");
      return;
    }
    if (char === "$" && scanner.source[scanner.position + 1] === "{") {
      take(scanner, 2, "string");
      scanCode(scanner, true);
      take(scanner, 1, "string");
    } else {
      take(scanner, char === "\\" ? 2 : 1, "string");
    }
  }
}

/** Code up to the end, or within a template up to the brace that closes its expression. */
function scanCode(scanner: Scanner, inTemplate: boolean): void {
  let depth = 0;
  while (scanner.position < scanner.source.length) {
    const { source, position } = scanner;
    const char = source[position] ?? "";
    const next = source[position + 1] ?? "";
    if (inTemplate && char === "}" && depth === 0) return;
    if (char === "{") depth += 1;
    if (char === "}") depth -= 1;
    if (char === "/" && (next === "/" || next === "*")) {
      take(scanner, commentLength(source, position), "comment");
    } else if (char === "/" && BEFORE_REGEX.test(scanner.bare.slice(-100))) {
      take(scanner, literalLength(source, position, "/"), "string");
    } else if (QUOTES.has(char)) {
      take(scanner, literalLength(source, position, char), "string");
    } else if (char === "`") {
      scanTemplate(scanner);
    } else {
      take(scanner, 1, "code");
    }
  }
}

function scan(source: string): Scanner {
  const scanner: Scanner = { source, position: 0, withStrings: "", bare: "", comments: [] };
  scanCode(scanner, false);
  return scanner;
}

/** The source with comments, strings and regular expressions blanked. */
export function codeOf(source: string): string {
  return scan(source).bare;
}

/** The names that a discriminated union gives its members: `"pong"` of `kind: "pong"` and `case "pong"`. */
const KINDS = /(?:\bkind:|\bkind ===|\bkind !==|\bcase)\s+("\w+")/g;

/** The code, and in place of strings only those that name a kind. */
export function namesOf(source: string): string {
  const { bare, withStrings } = scan(source);
  let names = bare;
  for (const match of withStrings.matchAll(KINDS)) {
    // A match that begins inside a string is text.
    if (!/[kc]/.test(bare[match.index] ?? "")) continue;
    const kind = match[1] ?? "";
    const at = match.index + match[0].length - kind.length;
    names = names.slice(0, at) + kind + names.slice(at + kind.length);
  }
  return names;
}

export function commentsOf(source: string): readonly Comment[] {
  const comments: { text: string; readonly line: number; end: number | undefined }[] = [];
  for (const { start, text } of scan(source).comments) {
    const before = comments.at(-1);
    const isLine = text.startsWith("//");
    const plain = plainText(text);
    const goesOn = before?.end !== undefined && source.slice(before.end, start).trim() === "";
    if (isLine && before !== undefined && goesOn) {
      before.text = `${before.text} ${plain}`;
      before.end = start + text.length;
    } else {
      const line = source.slice(0, start).split("\n").length;
      comments.push({ text: plain, line, end: isLine ? start + text.length : undefined });
    }
  }
  return comments.map(({ text, line }) => ({ text, line }));
}

function plainText(comment: string): string {
  return comment
    .replaceAll(/^\/\*\**|\*+\/$|^\s*\/\/|^[ \t]*\*(?!\/) ?/gm, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}

const IMPORTS: readonly RegExp[] = [
  /\b(?:import|export)\s+(type\s+)?(?:[\w$*{][^"';]*?\s*from\s*)["']([^"']+)["']/g,
  /\bimport\s*()["']([^"']+)["']/g,
  /\bimport\s*\(\s*()["']([^"']+)["']/g,
];

export function importsOf(source: string): readonly Import[] {
  const { withStrings, bare } = scan(source);
  const found: Import[] = [];
  for (const pattern of IMPORTS) {
    for (const match of withStrings.matchAll(pattern)) {
      // A match that begins inside a string is text, not an import.
      if (!/[ie]/.test(bare[match.index] ?? "")) continue;
      const line = withStrings.slice(0, match.index).split("\n").length;
      found.push({
        specifier: match[2] ?? "",
        typeOnly: match[1] !== undefined && match[1] !== "",
        line,
      });
    }
  }
  return found.toSorted((left, right) => left.line - right.line);
}
