/**
 * Turns at a znode: at most one client has the turn, and each turn has a larger number. The znode's version counts the turns, and an ephemeral
 * child with a name that nobody else has stands for the one that is taken. Who takes a turn writes the znode in the version in which it
 * had no child, and makes the child, in one transaction: since every turn raises the version, of two who try at once only one succeeds. The name of the
 * child tells one holder from the next, which a fixed name could not.
 */
import {
  BadVersionError,
  ConnectionLossError,
  NoNodeError,
  ZooidError,
} from "../../protocol/errors.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Reading } from "../calls.ts";
import type { Client } from "../client.ts";
import type { Transaction } from "../transaction.ts";
import type { CallOptions } from "../wire.ts";
import { type Claim, deletedInTheEnd } from "./claim.ts";
import { childPath } from "./below.ts";
import { inDoubt } from "./doubt.ts";
import { ClaimLostError } from "./errors.ts";
import { uniqueName } from "./unique.ts";

export type Turn = {
  /** The child that stands for it. */
  readonly path: string;
  readonly stat: Stat;
};

/**
 * Takes the turn at a znode that was read, and writes `data` there. Undefined: somebody else has it, or was faster; read again. When the
 * caller waits no longer, a turn that may have been taken is given back in the background.
 */
export async function turnTaken(
  client: Client,
  {
    path,
    data,
    reading,
  }: {
    readonly path: string;
    readonly data: Uint8Array | null;
    readonly reading: Reading<unknown>;
  },
  options: CallOptions,
): Promise<Turn | undefined> {
  const { numChildren, version } = reading.stat;
  if (numChildren > 0) return undefined;
  const own = childPath(path, uniqueName(client.wire.clock));
  try {
    const [, made] = await client
      .transaction((make) => [
        make.set(path, data, { version }),
        make.create(own, null, { ephemeral: true }),
      ])
      .commit(options);
    return made;
  } catch (error) {
    if (error instanceof BadVersionError || error instanceof NoNodeError) return undefined;
    const isUnknown = error instanceof ZooidError && error.maybeApplied === "unknown";
    if (!(error instanceof ConnectionLossError)) {
      if (isUnknown) void deletedInTheEnd(client, own);
      throw error;
    }
  }
  return turnFound(client, own, options);
}

/** The outcome was lost with its connection, and the child's name tells what it was. */
async function turnFound(
  client: Client,
  path: string,
  options: CallOptions,
): Promise<Turn | undefined> {
  try {
    const { stat } = await client.exists(path, { ...options, consistency: "linearizable" });
    return stat === undefined ? undefined : { path, stat };
  } catch (error) {
    void deletedInTheEnd(client, path);
    throw error;
  }
}

/**
 * Commits a transaction that deletes the claim's znode under the condition that it is held: it is done once at most. Undefined: it was done,
 * and its results were lost with the connection. Rejects with ConnectionLossError if the claim was lost at the same time, so that nobody can
 * say which of the two has deleted its znode.
 */
export async function committedWith<Results extends readonly unknown[]>(
  client: Client,
  claim: Claim,
  transaction: Transaction<Results>,
  options: CallOptions,
): Promise<Results | undefined> {
  const guarded = transaction.if(claim.isHeld);
  for (;;) {
    let lost: ConnectionLossError;
    try {
      return await guarded.commit(options);
    } catch (error) {
      if (!(error instanceof ConnectionLossError)) throw error;
      lost = error;
    }
    if (await isThere(client, claim.path, { lost, options })) continue;
    if (wasEnded(claim)) return undefined;
    throw lost;
  }
}

async function isThere(
  client: Client,
  path: string,
  { lost, options }: { readonly lost: ConnectionLossError; readonly options: CallOptions },
): Promise<boolean> {
  try {
    const { stat } = await client.exists(path, { ...options, consistency: "linearizable" });
    return stat !== undefined;
  } catch (error) {
    throw inDoubt(error, lost);
  }
}

/** The claim's znode is gone, by a transaction of its holder unless the claim has given it up itself. */
function wasEnded({ signal }: Claim): boolean {
  if (!signal.aborted) return true;
  return signal.reason instanceof ClaimLostError && signal.reason.because === "deleted";
}
