/** Makes znodes again that were deleted, as they were at a zxid: what the past process knows of them goes to the tree, and to nobody else. */
import { NodeExistsError, NoAuthError, ZooidError } from "../../../protocol/errors.ts";
import { CONTAINER } from "../../../protocol/lifetime.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import { NodeNotServingError } from "../../errors.ts";
import { SUBTREE_ZNODES_MAX } from "../../history/limits.ts";
import type { SubtreePage, ZnodeToMake } from "../../history/subtree.ts";
import { isClosed } from "./closed-znodes.ts";
import type { PastOptions } from "./history.ts";

/** Znodes that are made together, parents first. Other clients wait for what the node answers meanwhile. */
const AT_ONCE = 25;

export type Wanted = {
  readonly path: string;
  readonly zxid: Zxid;
  /** `next` of the page before; empty: this is the first. */
  readonly after: string;
};

export type BroughtBack = {
  /** How many were made. */
  readonly made: number;
  /** How many of this page are there already, and stay as they are. */
  readonly present: number;
  /** What was not made, and why: `ephemeral`, or the code of what the node says. */
  readonly left: readonly { readonly path: string; readonly why: string }[];
  /** How many were not everybody's to read, and are not made. */
  readonly closed: number;
  /** Null: that was all. */
  readonly next: string | null;
  /** The last that was made has it. */
  readonly zxid: Zxid | undefined;
};

/** Rejects with a `HistoryError` if it is not known what there was, and as a client does if the node no longer serves. */
export async function bringBack(
  { past, committed, client }: PastOptions,
  { path, zxid, after }: Wanted,
): Promise<BroughtBack> {
  const own = await client();
  if (await isClosed(own, path)) throw new NoAuthError(path);
  const upTo = await committed();
  if (upTo === undefined) throw new NodeNotServingError();
  const question = { kind: "subtree", path, zxid, after, limit: SUBTREE_ZNODES_MAX } as const;
  const answer = await (await past()).ask({ question, hidesClosed: true }, upTo);
  const { znodes, ephemerals, closed, next } = answer as SubtreePage;
  const left = ephemerals.map((each) => ({ path: each, why: "ephemeral" }));
  let [made, present] = [0, 0];
  let last: Zxid | undefined;
  for (let first = 0; first < znodes.length; first += AT_ONCE) {
    const some = znodes.slice(first, first + AT_ONCE);
    const results = await Promise.allSettled(some.map((znode) => make(own, znode)));
    for (const [index, result] of results.entries()) {
      const { path: each = path } = some[index] ?? {};
      if (result.status === "fulfilled") {
        made += 1;
        last = result.value;
      } else if (result.reason instanceof NodeExistsError) {
        present += 1;
      } else {
        left.push({ path: each, why: whyNot(result.reason) });
      }
    }
  }
  return { made, present, left, closed, next, zxid: last };
}

async function make(
  client: OwnClient,
  { path, base64, acl, lifetime }: ZnodeToMake,
): Promise<Zxid> {
  const data = base64 === null ? null : Buffer.from(base64, "base64");
  const { zxid } = await client.create(path, data, {
    acl,
    ...(lifetime === CONTAINER && { container: true }),
    ...(lifetime !== null && lifetime !== CONTAINER && { ttlMs: lifetime }),
  });
  return zxid;
}

/** A parent that was not made has children that are not, each with its own reason. */
function whyNot(error: unknown): string {
  if (error instanceof ZooidError) return error.code;
  throw error;
}
