/** Reads whose answers are about more than one znode. */
import { Code } from "../../protocol/codes.ts";
import {
  LISTED_BYTES_MAX,
  LOOKED_AT_BYTES,
  MULTI_READ_BYTES_SOFT_MAX,
} from "../../protocol/limits.ts";
import { answerBytes, type MemberRead, type Read, type ReadResult } from "../../protocol/reads.ts";
import type { TreeState } from "./state.ts";

type Of<Kind extends Read["kind"]> = Extract<Read, { readonly kind: Kind }>;

const THROTTLED: ReadResult = { kind: "error", code: Code.throttled };

/** Each member is answered as the same read alone would be; those behind so many bytes are not. */
export function multiRead(
  tree: TreeState,
  { reads }: Of<"multiRead">,
  answer: (read: MemberRead) => ReadResult,
): ReadResult {
  const results: ReadResult[] = [];
  let bytes = 0;
  for (const read of reads) {
    const { lookedAt } = tree;
    const result = bytes < MULTI_READ_BYTES_SOFT_MAX ? answer(read) : THROTTLED;
    bytes += answerBytes(result) + LOOKED_AT_BYTES * (tree.lookedAt - lookedAt);
    results.push(result);
  }
  return { kind: "multiRead", results };
}

/** Nothing, or the root, with what Java's `trim` takes for blanks around it. */
const ALL = /^[\u0000-\u0020]*(?:\/[\u0000-\u0020]*)?$/;

/** Source: ZooKeeper's FinalRequestProcessor, which takes a prefix of blanks, or the root, for all. */
export function getEphemerals(
  tree: TreeState,
  { session, prefix }: Of<"getEphemerals">,
): ReadResult {
  const isAll = ALL.test(prefix);
  const paths: string[] = [];
  const { sessions, znodes } = tree;
  const ephemerals = sessions.get(session)?.ephemerals;
  tree.lookedAt += ephemerals?.size ?? 0;
  let bytes = 0;
  for (const znode of ephemerals ?? []) {
    const path = znodes.path(znode);
    if (!isAll && !path.startsWith(prefix)) continue;
    bytes += path.length;
    if (bytes > LISTED_BYTES_MAX) return THROTTLED;
    paths.push(path);
  }
  return { kind: "paths", paths };
}
