/** In what a znode of the source and the one at the same path of the target differ, and what makes them equal. */
import type { Acl } from "../../client/connect.ts";
import type { Lifetime } from "../../protocol/lifetime.ts";
import type { NativeMember } from "../../protocol/native-packing.ts";
import { createsOf, lasting, type LifetimeReading, type Look, type Znode } from "./znode.ts";

export type DifferenceKind =
  | "missing"
  | "extra"
  | "data"
  | "acl"
  | "lifetime"
  | "version"
  | "sequence"
  | "quota"
  | "hidden"
  | "tooLarge";

export type Difference = { readonly path: string; readonly kind: DifferenceKind };

/** What the target is asked for. An access control list cannot be set by a step of a transaction. */
export type Step =
  | Extract<NativeMember, { readonly kind: "create" | "setData" | "delete" }>
  | { readonly kind: "setAcl"; readonly path: string; readonly acl: readonly Acl[] };

export type Pair = { readonly path: string; readonly source: Look; readonly target: Look };

const VERSION_ANY = -1;
/** Versions that are further behind are raised apart, by transactions of nothing else. */
export const SETS_MAX = 64;

/** Ephemerals are left to their clients: they count as absent on both sides. */
export function differencesOf({ path, source, target }: Pair): readonly Difference[] {
  if (source.kind === "hidden" || target.kind === "hidden") return [{ path, kind: "hidden" }];
  const from = lasting(source);
  const to = lasting(target);
  if (from === undefined) return to === undefined ? [] : [{ path, kind: "extra" }];
  if (to === undefined) return [{ path, kind: "missing" }];
  const kinds: DifferenceKind[] = [];
  if (!isSameData(from.data, to.data)) kinds.push("data");
  if (!isSameAcl(from.acl, to.acl)) kinds.push("acl");
  if (!isSameLifetime(from.lifetime, to.lifetime)) kinds.push("lifetime");
  if (from.stat.version > to.stat.version) kinds.push("version");
  if (createsOf(from.stat) > createsOf(to.stat)) kinds.push("sequence");
  return kinds.map((kind) => ({ path, kind }));
}

/**
 * What makes the target equal, sequence counters and versions that are far behind aside. Nothing is done about a znode that cannot be read.
 */
export function stepsFor({ path, source, target }: Pair): readonly Step[] {
  if (source.kind === "hidden" || target.kind === "hidden") return [];
  const from = lasting(source);
  const to = lasting(target);
  const away: Step = { kind: "delete", path, version: VERSION_ANY };
  if (from === undefined) return to === undefined ? [] : [away];
  // What ends a znode is said when it is made. An ephemeral of somebody who uses the target already stands in the way.
  const isOther = to === undefined || !isSameLifetime(from.lifetime, to.lifetime);
  if (isOther && (to?.stat.numChildren ?? 0) === 0) {
    const made = createSteps(path, from);
    return target.kind === "found" ? [away, ...made] : made;
  }
  if (to === undefined) return [];
  const steps: Step[] = [];
  const sets = from.stat.version - to.stat.version;
  if (!isSameData(from.data, to.data) || (sets > 0 && sets <= SETS_MAX)) {
    steps.push(...setSteps(path, from.data, sets));
  }
  if (!isSameAcl(from.acl, to.acl)) steps.push({ kind: "setAcl", path, acl: from.acl });
  return steps;
}

function createSteps(path: string, { data, acl, lifetime, stat }: Znode): readonly Step[] {
  const known = isKnown(lifetime) ? { lifetime } : {};
  const mode = { ephemeral: false, sequential: false, ...known };
  const { version } = stat;
  if (version <= 0 || version > SETS_MAX) return [{ kind: "create", path, data, acl, mode }];
  const made: Step = { kind: "create", path, data: null, acl, mode };
  return [made, ...setSteps(path, data, version)];
}

/** Sets data so that the version rises by so many, at least by one, and if they are not too many. The last one sets it to what it is to be. */
function setSteps(path: string, data: Uint8Array | null, by: number): readonly Step[] {
  const before = by > 1 && by <= SETS_MAX ? by - 1 : 0;
  const other: Step = { kind: "setData", path, data: null, version: VERSION_ANY };
  return [
    ...Array.from({ length: before }, () => other),
    { kind: "setData", path, data, version: VERSION_ANY },
  ];
}

function isKnown(lifetime: LifetimeReading): lifetime is Lifetime {
  return lifetime !== "none" && lifetime !== "unknown";
}

/** No data and empty data are two things: clients can tell them apart. */
function isSameData(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return Buffer.compare(one, other) === 0;
}

/** The order of entries means nothing: servers remove those that stand twice. */
function isSameAcl(one: readonly Acl[], other: readonly Acl[]): boolean {
  const texts = (acl: readonly Acl[]): ReadonlySet<string> =>
    new Set(acl.map(({ scheme, id, permissions }) => JSON.stringify([scheme, id, permissions])));
  const [left, right] = [texts(one), texts(other)];
  return left.size === right.size && [...left].every((text) => right.has(text));
}

function isSameLifetime(one: LifetimeReading, other: LifetimeReading): boolean {
  return one === other || one === "unknown" || other === "unknown";
}
