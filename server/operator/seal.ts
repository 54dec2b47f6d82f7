/**
 * Proof that a message between an operator and a node is of somebody who holds the key of the nodes (`--peer-key-file`). A tag is good
 * for one ensemble, for one direction and for what the message says; that it is good once is seen to by the challenge in it. Without a
 * key the tag is `-`, and NATS' permissions alone say who may ask.
 */
import type { PeerKeys } from "../peer-keys.ts";

export type Direction = "toNode" | "toOperator";

export type SealOptions = { readonly ensemble: string; readonly keys: PeerKeys | undefined };

const NO_TAG = "-";

export function tagFor(
  { ensemble, keys }: SealOptions,
  direction: Direction,
  json: string,
): string {
  if (keys === undefined) return NO_TAG;
  return Buffer.from(keys.sign(partsOf(ensemble, direction, json))).toString("hex");
}

export function hasRightTag(
  { ensemble, keys }: SealOptions,
  direction: Direction,
  { tag, json }: { readonly tag: string; readonly json: string },
): boolean {
  if (keys === undefined || tag === NO_TAG) return keys === undefined && tag === NO_TAG;
  return keys.verify(partsOf(ensemble, direction, json), Buffer.from(tag, "hex"));
}

function partsOf(ensemble: string, direction: Direction, json: string): readonly Uint8Array[] {
  // The names hold no zero byte, so it is unambiguous.
  return [new TextEncoder().encode(`zooid operator\0${ensemble}\0${direction}\0${json}`)];
}
