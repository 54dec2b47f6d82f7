/** How the arguments of requests are drawn: mostly as clients send them, now and then as none should. */
import { createHash } from "node:crypto";
import type { Random } from "../../sim/random.ts";
import { isOn } from "./features.ts";
import type { AclEntry, AclList, Text } from "./program.ts";

const INT32_MAX = 2_147_483_647;
export const OPEN: readonly AclEntry[] = [{ perms: 31, scheme: "world", id: "anyone" }];

const DATA: readonly Text[] = ["", "1", "two", "\u0000\u00ff", null, "x".repeat(300)];

export const NO_COUNTS = "count=0,bytes=0";
/** They refuse nothing. */
export const LIMITS: readonly string[] = [
  "count=-1,bytes=-1",
  "count=1,bytes=1",
  "count=2,bytes=400=;byteHardLimit=-1;countHardLimit=-1",
];
export const HARD_LIMITS: readonly string[] = [
  "count=-1,bytes=-1=;byteHardLimit=300;countHardLimit=-1",
  "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3",
  "count=1,bytes=1=;byteHardLimit=5;countHardLimit=4",
];
const COUNTS: readonly string[] = [NO_COUNTS, "count=1,bytes=200=;x=3;another=-4", "bytes=7"];

export function drawData(random: Random, path: Text): Text {
  if (path?.endsWith("/zookeeper_limits") === true) return random.pick(LIMITS);
  if (path?.endsWith("/zookeeper_stats") === true) return random.pick(COUNTS);
  return random.pick(DATA);
}

export function drawVersion(random: Random): number {
  if (random.chance(0.5)) return -1;
  if (random.chance(0.1)) return random.pick([-2, -1000, INT32_MAX, -INT32_MAX - 1]);
  return random.below(3);
}

export function drawWatch(random: Random): number {
  return random.chance(0.02) ? 2 : random.below(2);
}

/** Those of one operation that another has are drawn for it, too. */
export function drawFlags(random: Random, op: string): number {
  if (random.chance(0.06)) return random.pick([-1, 7, 8, 100, -INT32_MAX - 1, ...OTHER_FLAGS]);
  if (op === "createContainer" && random.chance(0.8)) return 4;
  if (op === "createTtl" && random.chance(0.8)) return 5 + random.below(2);
  return random.pick([0, 0, 0, 1, 1, 2, 3]);
}

const OTHER_FLAGS: readonly number[] = [
  ...(isOn("containers") ? [4] : []),
  ...(isOn("timesToLive") ? [5, 6] : []),
];

/**
 * None is over while a program runs. A createTTL whose flags ask for none, with a TTL below zero, is left out: ZooKeeper takes it, and then fails
 * for good.
 */
export function drawTtl(random: Random, flags: number): number {
  const others = flags === 5 || flags === 6 ? [0, -1] : [0];
  return random.pick([1_000_000, 1_000_000, 2 ** 40 - 1, 2 ** 40, ...others]);
}

/** Stands for the user whose password is `secret`. */
const USER = `user:${createHash("sha1").update("user:secret").digest("base64")}`;

const ENFORCED: readonly AclEntry[] = [
  { perms: 1, scheme: "world", id: "anyone" },
  { perms: 0, scheme: "world", id: "anyone" },
  { perms: 31, scheme: "digest", id: "user:hash" },
  { perms: 31, scheme: "digest", id: USER },
  { perms: 5, scheme: "digest", id: USER },
  { perms: 31, scheme: "ip", id: "127.0.0.1" },
  { perms: 31, scheme: "ip", id: "10.0.0.0/8" },
  { perms: 31, scheme: "auth", id: "" },
];

/** Whom most lists of programs let in, and others. A scheme that there is not ends the connection. */
const PROOFS: readonly AclEntry[] = [
  { perms: 0, scheme: "digest", id: "user:secret" },
  { perms: 0, scheme: "digest", id: "user:secret" },
  { perms: 0, scheme: "digest", id: "other:\u00ff" },
  { perms: 0, scheme: "digest", id: "user" },
  { perms: 7, scheme: "ip", id: "10.0.0.1" },
];

const BAD_PROOFS: readonly AclEntry[] = [
  { perms: 0, scheme: "digest", id: null },
  { perms: 0, scheme: "world", id: "anyone" },
  { perms: 0, scheme: "unheard", id: "x" },
  { perms: 0, scheme: "", id: "" },
];

export function drawProof(random: Random): AclEntry {
  return random.pick(random.chance(0.1) ? BAD_PROOFS : PROOFS);
}

/** None of these is one that a server may store. */
const INVALID: readonly AclEntry[] = [
  { perms: 31, scheme: "world", id: "nobody" },
  { perms: 31, scheme: "world", id: "" },
  { perms: 31, scheme: "unheard", id: "anyone" },
  { perms: 31, scheme: "", id: "anyone" },
  { perms: 31, scheme: "digest", id: "user" },
  { perms: 31, scheme: "ip", id: "localhost" },
  { perms: 31, scheme: null, id: "anyone" },
  { perms: 31, scheme: "world", id: null },
  { perms: 31, scheme: null, id: null },
  { perms: 31, scheme: "w\u00ff", id: "anyone" },
  { perms: 31, scheme: "world", id: "any\u00c3" },
];

/** Returns a list that a server takes, which does not let everybody do everything. */
export function drawGuard(random: Random): readonly AclEntry[] {
  if (!isOn("acls")) return OPEN;
  return Array.from({ length: 1 + random.below(2) }, () => random.pick(ENFORCED));
}

export function drawAcl(random: Random): AclList {
  if (random.chance(0.8)) return OPEN;
  if (random.chance(0.5)) return drawGuard(random);
  if (random.chance(0.2)) return null;
  const choices = [...OPEN, ...INVALID, ...(isOn("acls") ? ENFORCED : [])];
  return Array.from({ length: random.below(3) }, () => random.pick(choices));
}
