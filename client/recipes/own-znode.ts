/** Makes an ephemeral znode of this client's session under a name that others may want, too. */
import { ConnectionLossError, NodeExistsError, ZooidError } from "../../protocol/errors.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Client } from "../client.ts";
import { mayBeAgain, pause } from "./again.ts";
import { deletedInTheEnd } from "./claim.ts";
import { Wait, type WaitOptions } from "./wait.ts";

const AGAIN_MS = 500;

/**
 * Waits while somebody else has a znode there. When the outcome of a create is not known, it looks whose znode is there; when the caller
 * waits no longer, what may have been made is deleted in the background.
 */
export async function createdOwn(
  client: Client,
  znode: { readonly path: string; readonly data: Uint8Array | null },
  options: WaitOptions,
): Promise<Stat> {
  using wait = new Wait(client, znode.path, options);
  try {
    return await created(client, znode, wait);
  } catch (error) {
    throw wait.failure(error);
  }
}

async function created(
  client: Client,
  { path, data }: { readonly path: string; readonly data: Uint8Array | null },
  wait: Wait,
): Promise<Stat> {
  const { signal } = wait;
  let mayBeMine = false;
  try {
    for (;;) {
      try {
        const made = await client.create(path, data, { signal, ephemeral: true, parents: true });
        return made.stat;
      } catch (error) {
        if (error instanceof ConnectionLossError) {
          mayBeMine = true;
          continue;
        }
        if (!(error instanceof NodeExistsError)) throw error;
      }
      const { stat, zxid } = await client.exists(path, { signal });
      if (stat === undefined) continue;
      if (mayBeMine && isOwn(client, stat)) return stat;
      await wait.untilChange({ path, recursive: false, after: zxid }, () => true);
    }
  } catch (error) {
    const isUnknown = error instanceof ZooidError && error.maybeApplied === "unknown";
    if (mayBeMine || isUnknown) void deletedIfOwn(client, path);
    throw error;
  }
}

function isOwn({ state }: Client, { ephemeralOwner }: Stat): boolean {
  return state.kind === "connected" && ephemeralOwner === state.session;
}

async function deletedIfOwn(client: Client, path: string): Promise<void> {
  while (!client.signal.aborted) {
    try {
      const { stat } = await client.exists(path, { consistency: "linearizable" });
      if (stat === undefined) return;
      if (client.state.kind === "connected") {
        if (isOwn(client, stat)) await deletedInTheEnd(client, path);
        return;
      }
    } catch (error) {
      if (!mayBeAgain(error)) return;
    }
    await pause(client.wire.clock, AGAIN_MS, client.signal);
  }
}
