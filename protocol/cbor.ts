/** CBOR (RFC 8949) as zooid writes it: plain maps and arrays, byte strings as Uint8Array. */
import { Encoder } from "cbor-x";

const encoder = new Encoder({
  useRecords: false,
  mapsAsObjects: true,
  tagUint8Array: false,
  variableMapSize: true,
});

/** The returned bytes are never written again, but may be a view into a larger buffer. */
export function encodeCbor(value: unknown): Uint8Array {
  return encoder.encode(value);
}

/** Throws on bytes that are not one CBOR value. Byte strings are views into `bytes`: copy what must outlive it. */
export function decodeCbor(bytes: Uint8Array): unknown {
  return encoder.decode(bytes);
}
