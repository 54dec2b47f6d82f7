/**
 * What a write does to the quota that it is under, and whether the quota forbids it. Sources: ZooKeeper's DataTree and
 * ZooKeeperServer.checkQuota. Counts change without a trace in their znode's stat, and no watch fires. While no path has a quota, a
 * write costs one look at how many there are.
 *
 * ZooKeeper judges each member of a multi by the limits and counts from before the multi, so they are remembered here before the multi
 * changes them.
 */
import {
  isBelowQuota,
  limitsPath,
  QuotaNumbers,
  quotaZnodeAt,
  type QuotaZnode,
  statsPath,
  UNSET,
} from "../../../protocol/quota.ts";
import { saveZnode } from "../snapshot/cut.ts";
import type { TreeState } from "../state.ts";
import type { Znodes } from "../store/znodes.ts";
import { noteUndo, type Transaction } from "../apply/transaction.ts";
import type { QuotaExcess } from "./quotas.ts";

/** What a write adds to a quota's counts. */
export type QuotaChange = { readonly count: number; readonly bytes: number };

/** A quota as it was before the multi that has changed it. */
export type QuotaBefore = QuotaNow & {
  /** Whether the multi has deleted its limits. The path is kept among those with a quota until the multi is done. */
  gone: boolean;
};

type QuotaNow = {
  /** Undefined: the path had no quota. */
  readonly limits: QuotaNumbers | undefined;
  /** Undefined: nothing was counted. */
  readonly stats: QuotaNumbers | undefined;
};

/** How often a quota that goes on being exceeded is told, in milliseconds of the records' time. */
const NOTE_INTERVAL_MS = 60_000;

/** Whether a write to the path has to do with quotas. Otherwise none of the functions below need be called. */
export function isCounted({ tree }: Transaction, path: string): boolean {
  return tree.quotas.size > 0 || isBelowQuota(path);
}

/** Whether a hard limit forbids the write. It also notes limits that the write exceeds without being forbidden. */
export function quotaForbids(transaction: Transaction, path: string, change: QuotaChange): boolean {
  const { quotas } = transaction.tree;
  if (quotas.size === 0) return false;
  const { quotasBefore } = transaction;
  const under = quotaAbove(transaction, path, (each) => {
    const before = quotasBefore.get(each);
    return before === undefined || before.limits !== undefined;
  });
  if (under === undefined) return false;
  const { limits, stats } = quotasBefore.get(under) ?? quotaNow(transaction.tree, under);
  if (limits === undefined || stats === undefined) return false;
  return (
    isForbidden(transaction, {
      ...{ path: under, of: "count", by: change.count, counted: stats.count },
      ...{ soft: limits.count, hard: limits.countHardLimit },
    }) ||
    isForbidden(transaction, {
      ...{ path: under, of: "bytes", by: change.bytes, counted: stats.bytes },
      ...{ soft: limits.bytes, hard: limits.byteHardLimit },
    })
  );
}

type Judged = {
  readonly path: string;
  readonly of: QuotaExcess["of"];
  readonly by: number;
  readonly counted: bigint;
  readonly soft: bigint;
  readonly hard: bigint;
};

function isForbidden(transaction: Transaction, judged: Judged): boolean {
  const { path, of, by, counted, soft, hard } = judged;
  const isHard = hard > UNSET;
  const limit = isHard ? hard : soft;
  if (by === 0 || limit <= UNSET) return false;
  const is = counted + BigInt(by);
  if (is <= limit) return false;
  const refused = isHard && transaction.quotasEnforced;
  noteExcess(transaction, { path, of, is, limit, refused });
  return refused;
}

function noteExcess({ tree, timeMs }: Transaction, excess: QuotaExcess): void {
  const { quotas } = tree;
  const noted = quotas.notedMs.get(excess.path) ?? Number.NEGATIVE_INFINITY;
  if (timeMs - noted < NOTE_INTERVAL_MS) return;
  quotas.notedMs.set(excess.path, timeMs);
  quotas.excesses.push(excess);
}

/** Counts a write that was done: to be called after the znode was created or changed, or taken out of the tree. */
export function countWrite(
  transaction: Transaction,
  kind: "created" | "changed" | "deleted",
  path: string,
  change: QuotaChange,
): void {
  const { quotas } = transaction.tree;
  const own = quotaZnodeAt(path);
  if (own !== undefined && kind !== "changed") takeQuotaZnode(transaction, own, kind);
  if (quotas.size === 0) return;
  const { quotasBefore } = transaction;
  const under = quotaAbove(transaction, path, (each) => quotasBefore.get(each)?.gone !== true);
  if (under !== undefined) addToStats(transaction, under, change);
}

/** To be called before a znode changes, is made or is deleted: within a multi it may be one of a quota. */
export function rememberQuota(transaction: Transaction, path: string): void {
  if (transaction.undo === undefined) return;
  const own = quotaZnodeAt(path);
  if (own !== undefined) remember(transaction, own.path);
}

function takeQuotaZnode(
  transaction: Transaction,
  { kind, path }: QuotaZnode,
  how: "created" | "deleted",
): void {
  const { tree, quotasBefore } = transaction;
  if (kind === "stats") {
    if (how === "created") countAll(transaction, path);
    return;
  }
  const before = quotasBefore.get(path);
  if (before !== undefined) before.gone = how === "deleted";
  if (before === undefined || how === "created") tree.quotas.set(path, how === "created");
}

/** Tells the znode of the counts, when it is made, what is at the path and below it. */
function countAll(transaction: Transaction, path: string): void {
  const { znodes } = transaction.tree;
  const top = znodes.find(path === "" ? "/" : path);
  const count = top === undefined ? 0 : 1 + znodes.below.count(top);
  const bytes = top === undefined ? 0 : znodes.dataLength(top) + znodes.below.bytes(top);
  const stats = new QuotaNumbers();
  stats.setCounts(BigInt(count), BigInt(bytes));
  writeStats(transaction, path, stats);
}

function addToStats(transaction: Transaction, path: string, change: QuotaChange): void {
  const { znodes } = transaction.tree;
  const stats = numbersAt(znodes, statsPath(path));
  if (stats === undefined) return;
  remember(transaction, path);
  stats.setCounts(stats.count + BigInt(change.count), stats.bytes + BigInt(change.bytes));
  writeStats(transaction, path, stats);
}

function writeStats(transaction: Transaction, path: string, stats: QuotaNumbers): void {
  const { tree, undo } = transaction;
  const { znodes } = tree;
  const znode = znodes.find(statsPath(path));
  if (znode === undefined) return;
  if (undo !== undefined) {
    noteUndo(transaction, {
      kind: "data",
      znode,
      data: znodes.data(znode),
      mzxid: znodes.mzxid(znode),
      mtime: znodes.mtime(znode),
      version: znodes.version(znode),
    });
  }
  saveZnode(tree, znode);
  znodes.setData(znode, stats.encode());
}

/** Within a multi, keeps what the quota was before it. */
function remember({ tree, undo, quotasBefore }: Transaction, path: string): void {
  if (undo === undefined || quotasBefore.has(path)) return;
  quotasBefore.set(path, { ...quotaNow(tree, path), gone: false });
}

/** After a multi that was done: what it has deleted is no quota any more. */
export function settleQuotas({ tree, quotasBefore }: Transaction): void {
  for (const [path, { gone }] of quotasBefore) if (gone) tree.quotas.set(path, false);
  quotasBefore.clear();
}

/** Takes back which paths have a quota, after a multi that has changed it was refused. The znodes are brought back by then. */
export function restoreQuotas({ tree, quotasBefore }: Transaction): void {
  for (const [path, { limits }] of quotasBefore) tree.quotas.set(path, limits !== undefined);
  quotasBefore.clear();
}

function quotaNow({ znodes }: TreeState, path: string): QuotaNow {
  return {
    limits: numbersAt(znodes, limitsPath(path)),
    stats: numbersAt(znodes, statsPath(path)),
  };
}

function numbersAt(znodes: Znodes, path: string): QuotaNumbers | undefined {
  const znode = znodes.find(path);
  return znode === undefined ? undefined : new QuotaNumbers(znodes.data(znode));
}

/** The nearest path, from this one upwards, that has a quota which counts. */
function quotaAbove(
  { tree }: Transaction,
  path: string,
  counts: (quota: string) => boolean,
): string | undefined {
  let nearest: string | undefined;
  tree.quotas.visitAbove(path, (quota) => {
    if (counts(quota)) nearest = quota;
  });
  return nearest;
}
