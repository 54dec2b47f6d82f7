/** The text in a configuration file's bytes, or why there is none. */
import type { Reading } from "./values.ts";

const RULE = "must be text in UTF-8 or Latin-1";
const HINT = "save it as UTF-8 without special characters";
/** Two bytes at the beginning that editors put before UTF-16. */
const UTF_16_MARKS: readonly number[] = [0xff_fe, 0xfe_ff];
const WHITE_SPACE: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d]);

export function textOf(bytes: Uint8Array): Reading<string> {
  const mark = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const zero = bytes.indexOf(0);
  const looksLikeUtf16 = zero === 0 || zero === 1;
  if (UTF_16_MARKS.includes(mark) || looksLikeUtf16) return refused("it looks like UTF-16");
  const at = bytes.findIndex((byte) => byte < 0x20 && !WHITE_SPACE.has(byte));
  if (at !== -1) return refused(`byte ${at} is none of text: 0x${bytes[at]?.toString(16)}`);
  return { kind: "read", value: decode(bytes) };
}

function refused(found: string): Reading<string> {
  return { kind: "refused", rule: `${RULE} (${found})`, hint: HINT };
}

/** Bytes that are not UTF-8 are read as Latin-1, as Java reads properties. A byte order mark is left out. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}
