/**
 * A line: ephemeral sequential znodes below one parent, each of which stands for somebody who waits for a right or has it. Who may have it
 * follows from the members in their order alone, so all see it alike. Whoever waits watches only the one whom it waits for, so a
 * right that is given back wakes one. Sources: ZooKeeper's recipes for locks; Curator's LockInternals; kazoo's Lock.
 */
import type { Acl } from "../../protocol/acl.ts";
import { NoNodeError, ZooidError } from "../../protocol/errors.ts";
import { childOf, nameOf } from "../../protocol/paths.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Client } from "../client.ts";
import { again, pause } from "./again.ts";
import { Claim, deletedInTheEnd } from "./claim.ts";
import { uniqueName } from "./unique.ts";
import { Wait, type WaitOptions } from "./wait.ts";

/** After this time, in milliseconds, somebody joins again whose member was lost before its turn was told. */
const REJOIN_MS = 200;

export type Member = {
  readonly name: string;
  /** What stands in the name before the number, such as `lock-`. It says what the member is. */
  readonly marker: string;
  readonly sequence: number;
};

export type Line = {
  /** The parent. It is made, as a container, where it is missing. */
  readonly path: string;
  /** The name of a new member without its number. Its end is one of the markers. */
  readonly nameFor: (unique: string) => string;
  /** What members of this line have before their number. A child without one is no member. */
  readonly markers: readonly string[];
  readonly data: Uint8Array | string | null;
  readonly acl?: readonly Acl[] | undefined;
  /** For whom the member at `index` has to wait, or for anybody to leave; undefined: it has what it came for. */
  readonly blockerOf: (members: readonly Member[], index: number) => Member | "anybody" | undefined;
};

/**
 * Joins the line and waits for its turn. Rejects with NotAcquiredError, AbortedError, SessionExpiredError or ClosedError, or with the
 * error of a write that was refused; what it has created is gone then, or goes with the session. A member that somebody else deletes, or
 * that may be gone because the ensemble was not heard of for so long, joins again.
 */
export async function standIn(client: Client, line: Line, options: WaitOptions): Promise<Claim> {
  using wait = new Wait(client, line.path, options);
  const unique = uniqueName(client.wire.clock);
  try {
    for (;;) {
      const { path, stat } = await joined(client, line, { unique, wait });
      const seen = await turn(client, line, { path, unique, wait });
      if (seen === undefined) continue;
      const claim = new Claim(client, path, stat, seen);
      if (!claim.signal.aborted) return claim;
      await pause(wait.clock, REJOIN_MS, wait.signal);
    }
  } catch (error) {
    void goneFrom(client, line.path, unique);
    throw wait.failure(error);
  }
}

/** Creates the own member. A create whose outcome is unknown is looked for before it is made again. */
async function joined(
  client: Client,
  line: Line,
  { unique, wait }: { readonly unique: string; readonly wait: Wait },
): Promise<{ readonly path: string; readonly stat: Stat }> {
  const path = childOf(line.path, line.nameFor(unique));
  const { acl } = line;
  let isInDoubt = false;
  return again(wait, async (signal) => {
    if (isInDoubt) {
      const found = await foundBy(client, line.path, unique, signal);
      if (found !== undefined) return found;
    }
    try {
      const options = { ephemeral: true, sequential: true, parents: "container", signal } as const;
      return await client.create(
        path,
        line.data,
        acl === undefined ? options : { ...options, acl },
      );
    } catch (error) {
      isInDoubt ||= error instanceof ZooidError && error.maybeApplied !== "no";
      throw error;
    }
  });
}

/** Resolves when it is the turn of the member at `path`, with the zxid of that; with undefined if the member is not there any more. */
async function turn(
  client: Client,
  line: Line,
  { path, unique, wait }: { readonly path: string; readonly unique: string; readonly wait: Wait },
): Promise<Zxid | undefined> {
  const own = nameOf(path);
  for (;;) {
    const { children, zxid } = await again(wait, (signal) =>
      client.children(line.path, { signal }),
    );
    for (const other of children) {
      // A create of unknown outcome that was done after all, beside the one that took its place.
      if (other !== own && other.includes(unique))
        void deletedInTheEnd(client, childOf(line.path, other));
    }
    const members = membersOf(children, line.markers);
    const index = members.findIndex(({ name }) => name === own);
    if (index === -1) return undefined;
    const blocker = line.blockerOf(members, index);
    if (blocker === undefined) return zxid;
    const wish =
      blocker === "anybody"
        ? { path: line.path, recursive: true, after: zxid }
        : { path: childOf(line.path, blocker.name), recursive: false, after: zxid };
    await wait.untilChange(wish, ({ kind }) => kind === "deleted");
  }
}

/** The members among the children, in the order in which they came. Numbers are of 32 bits and go round. */
export function membersOf(
  children: readonly string[],
  markers: readonly string[],
): readonly Member[] {
  const members = children.flatMap((name): readonly Member[] => {
    for (const marker of markers) {
      const at = name.lastIndexOf(marker);
      const digits = at === -1 ? "" : name.slice(at + marker.length);
      if (/^(?:\d{10}|-\d{9,10})$/.test(digits))
        return [{ name, marker, sequence: Number(digits) }];
    }
    return [];
  });
  return members.toSorted((left, right) => (left.sequence - right.sequence) | 0);
}

async function foundBy(
  client: Client,
  parent: string,
  unique: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly path: string; readonly stat: Stat } | undefined> {
  const options = { consistency: "linearizable", signal } as const;
  try {
    const { children } = await client.children(parent, options);
    const name = children.find((each) => each.includes(unique));
    if (name === undefined) return undefined;
    const path = childOf(parent, name);
    const { stat } = await client.exists(path, options);
    return stat === undefined ? undefined : { path, stat };
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}

/** Deletes whatever was created under the name: what was asked for before is done before it is looked for. Never rejects. */
async function goneFrom(client: Client, parent: string, unique: string): Promise<void> {
  const { clock } = client.wire;
  try {
    const found = await again({ clock, signal: client.signal }, (signal) =>
      foundBy(client, parent, unique, signal),
    );
    if (found === undefined) return;
    await deletedInTheEnd(client, found.path);
    await goneFrom(client, parent, unique);
  } catch {
    // The session is over, and with it what it had created.
  }
}
