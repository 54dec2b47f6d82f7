/**
 * The barrier is the first record of an epoch. It names the version of the state machine by which the records after it are applied,
 * and the configuration of its leader. All replicas must apply records alike, so a node that knows only a lower version accepts
 * neither the barrier nor what follows it.
 */
import { decodeCbor, encodeCbor, PEER_CBOR } from "./cbor.ts";
import { checkedConfiguration, type Configuration } from "./configuration.ts";

/**
 * The version of the state machine. It increases with each change of what an operation does to the tree. Version 1 had neither
 * lifetimes nor quotas, and checked no access control lists. Version 2 refused to count a large tree for a quota twice in one record,
 * had none of ClickHouse Keeper's operations, and knew nobody by SASL. Version 3
 * knew no numbers of requests.
 */
export const STATE_MACHINE_VERSION = 4;

/** `configuration` is known to be committed. It is undefined only in barriers of versions that had no configurations. */
export function encodeBarrier(
  configuration: Configuration | undefined,
  version: number = STATE_MACHINE_VERSION,
): Uint8Array {
  return encodeCbor(configuration === undefined ? { version } : { version, configuration });
}

/** Whether the payload asks for a version that this code does not have. A payload without a version means the first. */
export function isBeyondUs(payload: Uint8Array): boolean {
  const version = fieldOf(payload, "version");
  return typeof version === "number" && version > STATE_MACHINE_VERSION;
}

/** The configuration that a barrier names; undefined if it names none. */
export function barrierConfiguration(payload: Uint8Array): Configuration | undefined {
  return checkedConfiguration(fieldOf(payload, "configuration"));
}

/** What is wrong with the payload of a peer's barrier; undefined if nothing is. */
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
