/** The bytes of a configuration file, and the text in them, or why there is none. */
import { closeSync, openSync, readSync } from "node:fs";
import { CONFIG_FILE_BYTES_MAX } from "../../protocol/limits.ts";
import type { Reading } from "./values.ts";

const RULE = "must be text in UTF-8 or Latin-1";
const HINT = "save it as UTF-8 without special characters";
/** Two bytes at the beginning that editors put before UTF-16. */
const UTF_16_MARKS: readonly number[] = [0xff_fe, 0xfe_ff];
const WHITE_SPACE: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d]);

/** Reads at most one byte more than the limit, since the path may lead to a device that never ends. */
export function readBounded(path: string): Uint8Array {
  const descriptor = openSync(path, "r");
  try {
    const bytes = new Uint8Array(CONFIG_FILE_BYTES_MAX + 1);
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

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
