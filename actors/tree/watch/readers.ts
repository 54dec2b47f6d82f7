/** Who may read a change: by the list that its znode had when it changed, and by the one that it has now. */
import { grants, Permission } from "../../../protocol/access.ts";
import type { Acl } from "../../../protocol/acl.ts";
import { ANYONE, type Who } from "../../../protocol/identities.ts";
import type { ChangeLists } from "../store/change-ring.ts";
import type { TreeState } from "../state.ts";

/** Who reads: all have proved the same. */
export type Readers = {
  readonly who: Who;
  /** Tells them from others. */
  readonly key: string;
  /** `all`: they may read everything. `public`: what everybody may. */
  readonly may: "all" | "public" | "own";
};

const PUBLIC: Readers = { who: ANYONE, key: "", may: "public" };
const ALL: Readers = { who: ANYONE, key: "all", may: "all" };

/** What a session proves is the same in whatever order it was proved. */
export function readersOf(who: Who, readsAll: boolean): Readers {
  if (readsAll || who.identities.some(({ scheme }) => scheme === "super")) return ALL;
  if (who.identities.length === 0) return PUBLIC;
  const texts = who.identities.map(({ scheme, id }) => JSON.stringify([scheme, id]));
  return { who, key: texts.toSorted().join(), may: "own" };
}

/** What decides about a change who may read it. */
export type Guard = {
  readonly path: string;
  /** Not everybody could read the znode when it had changed. */
  readonly isClosed: boolean;
  /** The znode's list then. Undefined: the open one, or one that is not known. */
  readonly acl: readonly Acl[] | undefined;
  /** That of its parent. Undefined: the open one. */
  readonly parentAcl: readonly Acl[] | undefined;
};

export function guardOf(path: string, isClosed: boolean, lists: ChangeLists | undefined): Guard {
  return { path, isClosed, acl: lists?.acl, parentAcl: lists?.parentAcl };
}

/**
 * Whether the znode's list let the readers read when it had changed, and does now. A list may have changed since, while the change waited
 * in the ring.
 */
export function mayRead({ znodes }: TreeState, readers: Readers, guard: Guard): boolean {
  const { path, isClosed, acl } = guard;
  const { who, may } = readers;
  if (may === "all") return true;
  const mayThen = !isClosed || (may === "own" && acl !== undefined && mayReadBy(acl, who));
  if (!mayThen || !znodes.hasClosed) return mayThen;
  const znode = znodes.find(path);
  return znode === undefined || mayReadBy(znodes.acl(znode), who);
}

export function mayReadBy(acl: readonly Acl[], who: Who): boolean {
  return grants(acl, Permission.read, who);
}
