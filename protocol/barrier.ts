/**
 * The first record of an epoch: by which version of the state machine the records after it are applied. Replicas must apply
 * them alike, so whoever knows a lower one only takes neither the barrier nor what follows it.
 */
import { decodeCbor, encodeCbor, PEER_CBOR } from "./cbor.ts";

/** Increased with each change of what an operation does to the tree. */
export const STATE_MACHINE_VERSION = 1;

export function encodeBarrier(version: number = STATE_MACHINE_VERSION): Uint8Array {
  return encodeCbor({ version });
}

/** The payload asks for a version that this zooid does not have. One that names none is of the first. */
export function isBeyondUs(payload: Uint8Array): boolean {
  const version = versionOf(payload);
  return version !== undefined && version > STATE_MACHINE_VERSION;
}

function versionOf(payload: Uint8Array): number | undefined {
  try {
    const value = decodeCbor(payload, PEER_CBOR);
    if (typeof value !== "object" || value === null || !("version" in value)) return undefined;
    return typeof value.version === "number" ? value.version : undefined;
  } catch {
    return undefined;
  }
}
