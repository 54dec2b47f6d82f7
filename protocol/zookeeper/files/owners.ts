/**
 * What the field `ephemeralOwner` of a znode in Apache ZooKeeper's files stands for. Source: its EphemeralType. Clients see 0 unless it is a
 * session.
 */
import { SESSION_NONE } from "../../ids.ts";
import { CONTAINER, type Lifetime, ttlOf } from "../../lifetime.ts";

export type Owner =
  | { readonly kind: "nobody" }
  | { readonly kind: "session"; readonly session: bigint }
  | { readonly kind: "lifetime"; readonly lifetime: Lifetime };

const CONTAINER_OWNER = -0x8000_0000_0000_0000n;
const TTL_MASK = 0xffn << 56n;
const TTL_MS_MASK = 0xff_ffff_ffffn;
/** The bytes between the mark of an extended type and the milliseconds: 0 is a TTL, and there is no other type. */
const RESERVED_MASK = 0xffffn << 40n;

/** Reads the field, a signed 64-bit number. `isSession`: whether there is a session of this number, which then is its owner. */
export function ownerOf(field: bigint, isSession: (id: bigint) => boolean): Owner {
  if (field === 0n) return { kind: "nobody" };
  if (field === CONTAINER_OWNER) return { kind: "lifetime", lifetime: CONTAINER };
  const bits = BigInt.asUintN(64, field);
  const isTtl = (bits & TTL_MASK) === TTL_MASK && (bits & RESERVED_MASK) === 0n;
  const lifetime = isTtl && !isSession(field) ? ttlOf(Number(bits & TTL_MS_MASK)) : undefined;
  return lifetime === undefined
    ? { kind: "session", session: field }
    : { kind: "lifetime", lifetime };
}

/** The field of a znode of ours. */
export function ownerField(session: number, lifetime: Lifetime | undefined): bigint {
  if (lifetime === CONTAINER) return CONTAINER_OWNER;
  if (lifetime !== undefined) return BigInt.asIntN(64, TTL_MASK | BigInt(lifetime));
  return session === SESSION_NONE ? 0n : BigInt(session);
}
