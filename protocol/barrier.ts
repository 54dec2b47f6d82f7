/**
 * The first record of an epoch: by which version of the state machine the records after it are applied, and by which
 * configuration its leader goes. Replicas must apply them alike, so whoever knows a lower version only takes neither the
 * barrier nor what follows it.
 */
import { decodeCbor, encodeCbor, PEER_CBOR } from "./cbor.ts";
import { checkedConfiguration, type Configuration } from "./configuration.ts";

/** Increased with each change of what an operation does to the tree. */
export const STATE_MACHINE_VERSION = 1;

/** `configuration`: known to be committed. Undefined only before barriers had one. */
export function encodeBarrier(
  configuration: Configuration | undefined,
  version: number = STATE_MACHINE_VERSION,
): Uint8Array {
  return encodeCbor(configuration === undefined ? { version } : { version, configuration });
}

/** The payload asks for a version that this zooid does not have. One that names none is of the first. */
export function isBeyondUs(payload: Uint8Array): boolean {
  const version = fieldOf(payload, "version");
  return typeof version === "number" && version > STATE_MACHINE_VERSION;
}

/** Undefined: it names none. */
export function barrierConfiguration(payload: Uint8Array): Configuration | undefined {
  return checkedConfiguration(fieldOf(payload, "configuration"));
}

/** What is wrong with the payload of a peer's barrier; undefined: nothing. */
export function barrierFault(payload: Uint8Array): string | undefined {
  const isNamed = fieldOf(payload, "configuration") !== undefined;
  return isNamed && barrierConfiguration(payload) === undefined
    ? "a barrier with what is no configuration"
    : undefined;
}

function fieldOf(payload: Uint8Array, name: string): unknown {
  try {
    const value = decodeCbor(payload, PEER_CBOR);
    if (typeof value !== "object" || value === null) return undefined;
    return (value as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}
