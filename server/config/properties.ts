/** Java's properties format, in which a `zoo.cfg` is written. Source: the documentation of java.util.Properties.load. */

export type Property = {
  readonly key: string;
  readonly value: string;
  /** The number of the line on which it begins, counted from 1. */
  readonly line: number;
};

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescape(text: string): string {
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, escape: string) => {
    if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return ESCAPES[escape] ?? escape;
  });
}

/** An odd number of backslashes at the end joins the next line to this one. */
function continues(line: string): boolean {
  let start = line.length;
  while (line[start - 1] === "\\") start -= 1;
  return (line.length - start) % 2 === 1;
}

/** The key ends at the first `=`, `:` or white space that no backslash protects. */
function split(text: string): readonly [key: string, value: string] {
  const key = /^(?:\\.|[^\\=:\s])*/s.exec(text)?.[0] ?? "";
  const rest = text.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, "");
  return [unescape(key), unescape(rest)];
}

/** In the order of the text; a key that is repeated comes as often as it is written. Space around a value is removed, as ZooKeeper does. */
export function readProperties(text: string): readonly Property[] {
  const properties: Property[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    let piece = (lines[index] ?? "").trimStart();
    if (piece === "" || piece.startsWith("#") || piece.startsWith("!")) continue;
    const pieces: string[] = [];
    while (continues(piece)) {
      pieces.push(piece.slice(0, -1));
      index += 1;
      piece = (lines[index] ?? "").trimStart();
    }
    pieces.push(piece);
    const [key, value] = split(pieces.join(""));
    properties.push({ key, value: value.trim(), line });
  }
  return properties;
}
