/** Values of znodes as people read them. */

export function bytesOf(base64: string | null): Uint8Array<ArrayBuffer> {
  const binary = atob(base64 ?? "");
  const all = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) all[index] = binary.charCodeAt(index);
  return all;
}

export const HEX_BYTES_MAX: number = 16 * 1024;
const ROW = 16;

/** Offset, bytes and printable characters of each 16, as `hexdump -C` prints them, of the first 16 KiB. */
export function hexDump(all: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(all.length, HEX_BYTES_MAX); at += ROW) {
    const row = [...all.subarray(at, at + ROW)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "."));
    const offset = at.toString(16).padStart(8, "0");
    lines.push(`${offset}  ${hex.padEnd(ROW * 3 - 1)}  ${text.join("")}`);
  }
  return lines.join("\n");
}

/** Indented. Undefined: it is no JSON. */
export function prettyJson(text: string): string | undefined {
  if (!/^\s*[[{"\d\-tfn]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return undefined;
  }
}

/** How lines end. A text field of the browser knows `lf` alone, and makes it of all others. */
export function lineEnds(text: string): "lf" | "crlf" | "mixed" {
  const rest = text.replaceAll("\r\n", "");
  if (!rest.includes("\r"))
    return rest.length === text.length ? "lf" : rest.includes("\n") ? "mixed" : "crlf";
  return "mixed";
}

export function isGzip(all: Uint8Array): boolean {
  return all.length > 18 && all[0] === 0x1f && all[1] === 0x8b;
}

/** Control characters stand as the pictures of themselves, so that a name shows all that it has. */
export function visible(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (each) => {
      const code = each.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "\u2421" : `\\u${code.toString(16).padStart(4, "0")}`;
    },
  );
}

/** As `visible`, but for the ends of lines and tabulators. */
export function visibleLines(text: string): string {
  return text.replaceAll(/[^\n\t]+/g, visible);
}

const PERMISSIONS = ["read", "write", "create", "delete", "admin"] as const;

export function permissionsInWords(permissions: number): string {
  const some = PERMISSIONS.filter((_, bit) => (permissions & (1 << bit)) !== 0);
  if (some.length === PERMISSIONS.length) return "everything";
  return some.length === 0 ? "nothing" : some.join(", ");
}
