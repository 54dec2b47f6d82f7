/** Encodes and decodes the CBOR that zooid uses (`cbor-profile.ts` defines the subset). Byte strings become Uint8Arrays. */
import { Encoder } from "cbor-x";
import { cborFault, type CborFault, type CborProfile } from "./cbor-profile.ts";
import { CLIENT_FRAME_ITEMS_MAX } from "./limits.ts";

/** Frames of native clients, as a gateway accepts them. */
export const CLIENT_CBOR: CborProfile = { maps: false, itemsMax: CLIENT_FRAME_ITEMS_MAX };
/** Frames of gateways, as a client accepts them. */
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
  /** Integers of 64 bits become numbers; the profile allows only those that are exact. */
  int64AsNumber: true,
};

/** The extensions of cbor-x cannot act, because they need tags, which the profile forbids. */
const encoder = new Encoder(OPTIONS);

/** The bytes are no CBOR within the profile. */
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

/**
 * Throws a `CborError` on bytes that are not one item within the profile. Byte strings are views into `bytes`: copy what must
 * outlive them.
 */
export function decodeCbor(bytes: Uint8Array, profile: CborProfile): unknown {
  const fault = cborFault(bytes, profile);
  if (fault !== undefined) throw new CborError(fault);
  return encoder.decode(bytes);
}
