/** What a look at a znode has shown, without the zxid of the look: it was so at some time. */
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Model } from "./model.ts";
import { shown, statProblem } from "./replies.ts";
import { sameBytes } from "./truth.ts";

/** The same of a copy, which counts the children by the changes that it is told of. */
export function copyProblem(
  model: Model,
  path: string,
  { stat, data }: { readonly stat: Stat; readonly data: Uint8Array | null },
): string | undefined {
  const then = model.at(path, stat.mzxid);
  if (then?.stat === undefined) return "there was no such znode";
  const { pzxid, cversion, numChildren, aversion } = stat;
  const problem = statProblem(stat, { ...then.stat, pzxid, cversion, numChildren, aversion });
  if (problem !== undefined) return problem;
  return sameBytes(data, then.data) ? undefined : `data ${shown(data)}, not ${shown(then.data)}`;
}

/** Returns what is wrong with it. `data` undefined: it is not told. A new list of the znode leaves no zxid, so it may have any. */
export function onceProblem(
  model: Model,
  path: string,
  { stat, data }: { readonly stat: Stat; readonly data?: Uint8Array | null | undefined },
): string | undefined {
  const { czxid, mzxid, pzxid, aversion } = stat;
  const then = model.at(path, Math.max(czxid, mzxid, pzxid) as Zxid)?.stat;
  if (then === undefined) return "there was no such znode";
  const problem = statProblem(stat, { ...then, aversion });
  if (problem !== undefined || data === undefined) return problem;
  const set = model.at(path, mzxid)?.data ?? null;
  return sameBytes(data, set) ? undefined : `data ${shown(data)}, not ${shown(set)}`;
}
