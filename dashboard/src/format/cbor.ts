/** CBOR (RFC 8949) as its diagnostic notation: JSON with byte strings, tags and keys of all kinds. Nothing is made of a value but text. */
import { diagnose } from "cbor2/diagnostic";

/** A longer value is shown as bytes alone: notation may take a hundred times its size, and a time that grows by its square. */
export const CBOR_BYTES_MAX: number = 32 * 1024;
/** So many maps and tags inside each other, or half as many arrays, which `cbor2` counts twice. What is deeper is shown as bytes alone. */
const DEPTH_MAX = 64;
/** `DiagnosticSizes.NEVER`: how many bytes a number takes is not shown. */
const NO_SIZES = -1;

const ARRAY = 4;
const MAP = 5;
/** The tag 55799, which says of itself that it is CBOR. */
const SELF_DESCRIBED: readonly number[] = [0xd9, 0xd9, 0xf7];

/** Indented. Undefined: the bytes are not one array or map, whole and nothing else. Other items are too often something else by chance. */
export function cborText(all: Uint8Array): string | undefined {
  if (all.length > CBOR_BYTES_MAX || !beginsLikeCbor(all)) return undefined;
  try {
    return diagnose(all, { pretty: true, maxDepth: DEPTH_MAX, diagnosticSizes: NO_SIZES });
  } catch {
    return undefined;
  }
}

function beginsLikeCbor(all: Uint8Array): boolean {
  const isTagged = SELF_DESCRIBED.every((byte, index) => all[index] === byte);
  const kind = (all[isTagged ? SELF_DESCRIBED.length : 0] ?? 0) >> 5;
  return kind === ARRAY || kind === MAP;
}
