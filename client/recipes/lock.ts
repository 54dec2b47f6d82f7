/**
 * A lock: one holder at a time, those who wait in the order in which they came. Sources: Curator's InterProcessMutex and kazoo's Lock, in
 * whose layouts it stands, so that their clients and this one contend for the same.
 */
import type { Acl } from "../../protocol/acl.ts";
import { checkLayout, checkWait } from "./arguments.ts";
import type { Client } from "../client.ts";
import type { Claim } from "./claim.ts";
import { type Line, standIn } from "./line.ts";
import type { WaitOptions } from "./wait.ts";

/** Whose names the znodes have. Default `curator`. */
export type Layout = "curator" | "kazoo";

/** How somebody waits for a lock, and holds it. */
export type LockOptions = WaitOptions & {
  /** What others read who look who holds it. Default: nothing. */
  readonly data?: Uint8Array | string | null;
  /** Who may do what with the znodes that are made for it. Default: everybody everything. */
  readonly acl?: readonly Acl[];
  /** Whose names the znodes have. All who contend for one lock use the same. Default `curator`. */
  readonly layout?: Layout;
};

export const CURATOR_LOCK = "lock-";
export const KAZOO_LOCK = "__lock__";

/** A member waits for the one before it. */
export const oneAtATime: Line["blockerOf"] = (members, index) => members[index - 1];

export async function lock(client: Client, path: string, options: LockOptions): Promise<Claim> {
  const { data = null, acl, layout = "curator" } = options;
  checkWait(path, options);
  checkLayout(layout);
  const line: Line = {
    ...{ path, data, acl },
    nameFor: (unique) =>
      layout === "kazoo" ? `${unique}${KAZOO_LOCK}` : `_c_${unique}-${CURATOR_LOCK}`,
    markers: [CURATOR_LOCK, KAZOO_LOCK],
    blockerOf: oneAtATime,
  };
  return standIn(client, line, options);
}
