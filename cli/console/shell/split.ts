/** Splits a line into words as a shell does: blanks separate, quotes and backslashes keep together. */

export type Split = {
  readonly words: readonly string[];
  /** Where the last word begins in the line, and how much of the line it is. An empty one after a blank. */
  readonly last: { readonly word: string; readonly raw: string };
  /** A quote that is not closed. */
  readonly open: "'" | '"' | undefined;
};

export function split(line: string): Split {
  const words: string[] = [];
  let word = "";
  let begin: number | undefined;
  let open: Split["open"];
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? "";
    if (open === undefined && /\s/.test(character)) {
      if (begin !== undefined) words.push(word);
      word = "";
      begin = undefined;
      continue;
    }
    begin ??= at;
    if (character === open) open = undefined;
    else if (open === undefined && (character === "'" || character === '"')) open = character;
    else if (character === "\\" && isEscape(open, line[at + 1])) {
      at += 1;
      word += line[at] ?? "";
    } else word += character;
  }
  const last = { word, raw: begin === undefined ? "" : line.slice(begin) };
  return { words: begin === undefined ? words : [...words, word], last, open };
}

/** Within double quotes a backslash is itself unless it stands before one of these, as in POSIX. */
function isEscape(open: Split["open"], next: string | undefined): boolean {
  if (next === undefined || open === "'") return false;
  return open === undefined || next === '"' || next === "\\";
}

/** The word as it may stand in a line, begun as the user has begun it. */
export function quoted(word: string, open: Split["open"]): string {
  if (open === "'") return `'${word}`;
  if (open === '"') return `"${word.replaceAll(/["\\]/g, "\\$&")}`;
  return word.replaceAll(/[\s'"\\]/g, "\\$&");
}
