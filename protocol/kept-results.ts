/** The results that a snapshot holds for clients: CBOR, as the native protocol packs them. */
import { BATCH_CBOR, decodeCbor, encodeCbor } from "./cbor.ts";
import { list } from "./fields.ts";
import { type NativeResult, packResult, unpackResult } from "./native-packing.ts";
import type { WriteResult } from "./operations.ts";

export function encodeKept(result: WriteResult): Uint8Array {
  return encodeCbor(packResult(result as NativeResult));
}

/** Throws a `CborError` or `FieldError` on bytes that are no result. */
export function decodeKept(bytes: Uint8Array): WriteResult {
  return unpackResult(list(decodeCbor(bytes, BATCH_CBOR)), 0) as WriteResult;
}
