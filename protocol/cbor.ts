/** CBOR as zooid writes and reads it; `cbor-profile.ts` says which part of it. Byte strings are Uint8Arrays. */
import { Encoder } from "cbor-x";
import { cborFault, type CborFault, type CborProfile } from "./cbor-profile.ts";
import { CLIENT_FRAME_ITEMS_MAX } from "./limits.ts";

/** Frames of native clients and of gateways. */
export const CLIENT_CBOR: CborProfile = { maps: false, itemsMax: CLIENT_FRAME_ITEMS_MAX };
/** Frames of gateways, as a client takes them. */
export const GATEWAY_CBOR: CborProfile = { maps: false, itemsMax: Infinity };
/** Batches, in the log and on their way to it. */
export const BATCH_CBOR: CborProfile = { maps: false, itemsMax: Infinity };
/** Messages between nodes. */
export const PEER_CBOR: CborProfile = { maps: true, itemsMax: Infinity };

const OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  tagUint8Array: false,
  variableMapSize: true,
  /** The profile has none that would not be exact. */
  int64AsNumber: true,
};

/** None of its extensions can act: they are tags, and the profile has none. */
const encoder = new Encoder(OPTIONS);

/** Bytes are not CBOR within the profile. */
export class CborError extends Error {
  override readonly name = "CborError";
  readonly code = "ZOOID_CBOR";
  readonly retryable = false;
  readonly fault: CborFault;
  constructor(fault: CborFault) {
    super(`not the CBOR that zooid speaks: ${fault.reason}, at byte ${fault.at}`);
    this.fault = fault;
  }
}

/** The returned bytes are never written again, but may be a view into a larger buffer. */
export function encodeCbor(value: unknown): Uint8Array {
  return encoder.encode(value);
}

/** Throws a `CborError` on bytes that are not one item of the profile. Byte strings are views into `bytes`: copy what must outlive it. */
export function decodeCbor(bytes: Uint8Array, profile: CborProfile): unknown {
  const fault = cborFault(bytes, profile);
  if (fault !== undefined) throw new CborError(fault);
  return encoder.decode(bytes);
}
