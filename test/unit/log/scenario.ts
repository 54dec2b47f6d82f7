/**
 * One random history of a log: appends, truncations, promises, snapshots cut here and installed from elsewhere; lives that end
 * between any two disk operations, and at every start the question whether the log is one that may be there.
 */
import type { ServerId } from "../../../protocol/ids.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { LogMessage } from "../../../actors/log/messages.ts";
import type { EpochPromise } from "../../../protocol/replication.ts";
import type { Disk } from "../../../runtime/disk.ts";
import {
  chunks,
  epoch,
  identityOf,
  lastZxidOf,
  LogHarness,
  recordAfter,
  storeChunk,
  zxid as zxidAt,
} from "./harness.ts";

/** Opens the disk for an incarnation; `crash` ends it. */
export type DiskUnderTest = {
  readonly open: () => Disk;
  readonly crash: (disk: Disk, random: () => number) => void;
  /** Makes the disk full, or not. Undefined: it never is. */
  readonly setFull: ((disk: Disk, full: boolean) => void) | undefined;
};

/**
 * A log that existed, or would have at a point between two changes, and how many truncations came before it. It begins after
 * `base`; what is on the disk may begin later, at a record's end that a snapshot covers.
 */
type Moment = {
  readonly base: Zxid;
  readonly log: readonly Uint8Array[];
  readonly truncations: number;
};

type Incarnation = {
  readonly log: LogHarness;
  /** From the start, every prefix of the changes told, in order. */
  readonly moments: Moment[];
  /** The earliest moment that fits what has been reported. */
  reached: number;
  reportsSeen: number;
  dropped: boolean;
  promises: EpochPromise[];
  promised: EpochPromise;
  /** Nothing up to it is ever truncated; snapshots are cut there. */
  committed: Zxid;
  /** The newest snapshot that was reported. */
  snapshot: Zxid;
  /** Chunks that are still to be told of a cut, the first of them outstanding. */
  cut: { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] } | undefined;
  /** Parts of another node's snapshot, and how many bytes of them are stored. No change is told meanwhile. */
  transfer: { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] } | undefined;
  toTreesSeen: number;
};

/** Uniform numbers in [0, 1) from a seed (the generator called mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Throws when something that was reported is gone, or something is there that cannot be. */
export function playHistory(under: DiskUnderTest, seed: number, starts: number): void {
  const random = randomFrom(seed);
  let before: Incarnation | undefined;
  let epochNow = 1;
  // Records of one size make the remnants of a segment stand where new records would.
  const steadyBytes = random() < 0.5 ? Math.floor(random() * 700) : undefined;
  for (let count = 1; count <= starts; count += 1) {
    const disk = under.open();
    const log = new LogHarness(disk);
    // A start that is itself cut short changes nothing of what may be there.
    if (random() < 0.3) stepSome(log, Math.floor(random() * 30));
    if (log.reports.length > 0 || random() < 0.6) {
      before = startIncarnation(log, before);
      epochNow = liveOn(before, { under, disk, random, steadyBytes }, epochNow);
    }
    under.crash(disk, random);
  }
}

function stepSome(log: LogHarness, steps: number): void {
  for (let step = 0; step < steps; step += 1) if (!log.step()) return;
}

function startIncarnation(log: LogHarness, before: Incarnation | undefined): Incarnation {
  log.run();
  const [first] = log.reports;
  if (first?.kind !== "recovered") throw new Error(`did not start: ${log.stopReason}`);
  const { baseZxid, snapshot } = first;
  const records = log.readAll(baseZxid);
  if (!sameZxids(records, first.lastZxids)) throw new Error("the log read is not the log reported");
  if (before === undefined) {
    if (records.length > 0) throw new Error("records from nowhere");
  } else {
    checkLog(before, baseZxid, records);
    checkPromise(before, first.promise);
    const zxid = snapshot?.zxid ?? 0;
    if (zxid < before.snapshot) throw new Error(`snapshot ${before.snapshot} is gone`);
    if (zxid < baseZxid) throw new Error("nothing covers what is before the log");
  }
  return {
    log,
    moments: [{ base: baseZxid, log: records, truncations: 0 }],
    committed: snapshot?.zxid ?? (0 as Zxid),
    snapshot: snapshot?.zxid ?? (0 as Zxid),
    cut: undefined,
    transfer: undefined,
    toTreesSeen: log.toTrees.length,
    reached: 0,
    reportsSeen: log.reports.length,
    dropped: false,
    promises: [],
    promised: first.promise,
  };
}

function checkLog(before: Incarnation, base: Zxid, records: readonly Uint8Array[]): void {
  const possible = before.moments.slice(before.reached);
  if (possible.some((moment) => sameFrom(base, moment, records))) return;
  const least = before.moments[before.reached]?.log.length;
  throw new Error(`a log of ${records.length} records cannot be there; reported were ${least}`);
}

function checkPromise(before: Incarnation, promise: EpochPromise): void {
  const possible = [before.promised, ...before.promises];
  if (possible.some((one) => one.epoch === promise.epoch && one.candidate === promise.candidate)) {
    return;
  }
  throw new Error(`promise ${promise.epoch}, was ${before.promised.epoch}`);
}

type World = {
  readonly under: DiskUnderTest;
  readonly disk: Disk;
  readonly random: () => number;
  /** Payload of every record; undefined: drawn for each. */
  readonly steadyBytes: number | undefined;
};

function liveOn(incarnation: Incarnation, world: World, epochBefore: number): number {
  const { random } = world;
  let epochNow = epochBefore + 1;
  promise(incarnation, epochNow, random);
  let counter = 0;
  // In a long incarnation segments are purged and written to again.
  const isLong = random() < 0.25;
  const actions = Math.floor(random() * (isLong ? 150 : 40));
  for (let action = 0; action < actions; action += 1) {
    const chance = random();
    if (incarnation.transfer !== undefined)
      stepSome(incarnation.log, 1 + Math.floor(random() * 20));
    else if (chance < 0.5) counter = append(incarnation, world, epochNow, counter);
    else if (chance < 0.6) cut(incarnation, random);
    else if (chance < 0.604) counter = receiveSnapshot(incarnation, epochNow, counter, random);
    else if (chance < 0.66) {
      truncate(incarnation, random);
      epochNow += 1;
      counter = 0;
      promise(incarnation, epochNow, random);
    } else if (chance < 0.69 && world.under.setFull !== undefined) {
      suffer(incarnation, world);
      if (incarnation.dropped) return epochNow;
    } else if (isLong && random() < 0.5) incarnation.log.run();
    else stepSome(incarnation.log, Math.floor(random() * 20));
    takeReports(incarnation);
  }
  if (random() < 0.2) incarnation.log.run();
  takeReports(incarnation);
  if (incarnation.log.stopReason !== undefined)
    throw new Error(`stopped: ${incarnation.log.stopReason}`);
  return epochNow;
}

function append(incarnation: Incarnation, world: World, inEpoch: number, from: number): number {
  const { random, steadyBytes } = world;
  let counter = from;
  let { log } = lastMoment(incarnation);
  const { base, truncations } = lastMoment(incarnation);
  const batch: Uint8Array[] = [];
  for (let left = 1 + Math.floor(random() * 6); left > 0; left -= 1) {
    const count = 1 + Math.floor(random() * 3);
    const prevZxid = log.length === 0 ? base : lastZxidOf(log.at(-1));
    const payloadBytes = random() < 0.02 ? 6000 : (steadyBytes ?? Math.floor(random() * 700));
    const record = recordAfter(prevZxid, { epoch: inEpoch, counter, count }, payloadBytes);
    counter += count;
    batch.push(record);
    log = [...log, record];
    incarnation.moments.push({ base, log, truncations });
  }
  incarnation.log.tell({ kind: "append", records: batch });
  return counter;
}

function truncate(incarnation: Incarnation, random: () => number): void {
  const { base, log, truncations } = lastMoment(incarnation);
  const committed = log.filter((record) => lastZxidOf(record) <= incarnation.committed).length;
  const keep = log.length - Math.floor(random() ** 2 * (log.length - committed + 1));
  for (let length = log.length - 1; length > keep; length -= 1) {
    incarnation.moments.push({ base, log: log.slice(0, length), truncations });
  }
  incarnation.moments.push({ base, log: log.slice(0, keep), truncations: truncations + 1 });
  incarnation.log.tell({ kind: "truncate", after: keep === 0 ? base : lastZxidOf(log[keep - 1]) });
}

/** What was reported durable, and is not to be truncated by what was told since, becomes committed; then a snapshot is cut. */
function cut(incarnation: Incarnation, random: () => number): void {
  const durable = incarnation.moments[incarnation.reached]?.log ?? [];
  const kept = new Set(lastMoment(incarnation).log.map(lastZxidOf));
  const possible = durable.map(lastZxidOf).filter((zxid) => kept.has(zxid));
  const zxid = possible.filter((one) => one > incarnation.committed)[Math.floor(random() * 9)];
  if (zxid === undefined || incarnation.cut !== undefined) return;
  incarnation.committed = zxid;
  const pieces = chunks(zxid, 1 + Math.floor(random() * 3), Math.floor(random() * 900));
  incarnation.cut = { zxid, chunks: pieces };
  tellChunk(incarnation, 0);
}

function tellChunk(incarnation: Incarnation, index: number): void {
  const bytes = incarnation.cut?.chunks[index];
  if (incarnation.cut === undefined || bytes === undefined) {
    incarnation.cut = undefined;
    return;
  }
  const { zxid, chunks: before } = incarnation.cut;
  incarnation.log.tell(storeChunk("tree", { zxid, chunks: before, index }));
}

/** Another node's snapshot, of a zxid that this log does not reach. Its epoch's counter goes on behind it. */
function receiveSnapshot(
  incarnation: Incarnation,
  inEpoch: number,
  counter: number,
  random: () => number,
): number {
  const zxid = zxidAt(inEpoch, counter + 5);
  const pieces = chunks(zxid, 1 + Math.floor(random() * 3), Math.floor(random() * 900));
  incarnation.transfer = { zxid, chunks: pieces };
  tellTransfer(incarnation, 0);
  return counter + 6;
}

function tellTransfer(incarnation: Incarnation, index: number): void {
  if (incarnation.transfer === undefined) return;
  const { zxid, chunks: all } = incarnation.transfer;
  if (index < all.length) {
    incarnation.log.tell(storeChunk("leader", { zxid, chunks: all, index }));
    return;
  }
  const { truncations } = lastMoment(incarnation);
  incarnation.moments.push({ base: zxid, log: [], truncations: truncations + 1 });
  incarnation.log.tell({ kind: "installSnapshot", snapshot: identityOf(zxid, all) });
}

function promise(incarnation: Incarnation, inEpoch: number, random: () => number): void {
  const candidate = (1 + Math.floor(random() * 3)) as ServerId;
  const message: LogMessage = { kind: "promise", promise: { epoch: epoch(inEpoch), candidate } };
  incarnation.promises.push(message.promise);
  incarnation.log.tell(message);
}

/** The disk fills up under what is at hand; room may come back. Nothing more is told in this incarnation after a refusal. */
function suffer(incarnation: Incarnation, world: World): void {
  world.under.setFull?.(world.disk, true);
  incarnation.log.run();
  takeReports(incarnation);
  world.under.setFull?.(world.disk, false);
  if (!incarnation.dropped) return;
  const [end] = incarnation.log.reports.filter((report) => report.kind === "diskFull").slice(-1);
  incarnation.log.fire("probe");
  takeReports(incarnation);
  if (incarnation.log.reports.at(-1)?.kind !== "writable")
    throw new Error("not writable with room");
  if (end?.kind !== "diskFull") throw new Error("refused without a word");
}

function takeReports(incarnation: Incarnation): void {
  for (const told of incarnation.log.toTrees.slice(incarnation.toTreesSeen)) {
    if (told.kind === "chunkStored") tellChunk(incarnation, told.index + 1);
    if (told.kind === "snapshotRefused") incarnation.cut = undefined;
  }
  incarnation.toTreesSeen = incarnation.log.toTrees.length;
  for (const report of incarnation.log.reports.slice(incarnation.reportsSeen)) {
    if (report.kind === "diskFull") incarnation.dropped = true;
    if (report.kind === "snapshotStored") incarnation.snapshot = report.snapshot.zxid;
    if (report.kind === "chunkStored") tellTransfer(incarnation, report.index + 1);
    if (report.kind === "snapshotRefused") incarnation.transfer = undefined;
    if (report.kind === "installRefused") throw new Error("a whole snapshot is refused");
    if (report.kind === "installed") {
      const { zxid } = report.snapshot;
      incarnation.transfer = undefined;
      incarnation.committed = zxid;
      incarnation.snapshot = zxid;
      reach(incarnation, { lastZxid: zxid, truncations: report.truncations });
    }
    if (report.kind === "promised") {
      incarnation.promised = report.promise;
      incarnation.promises = incarnation.promises.filter((one) => one.epoch > report.promise.epoch);
    }
    if (report.kind === "appended" || report.kind === "truncated") reach(incarnation, report);
  }
  incarnation.reportsSeen = incarnation.log.reports.length;
}

function reach(incarnation: Incarnation, report: { lastZxid: Zxid; truncations: number }): void {
  const reached = incarnation.moments.findIndex(
    (moment, at) =>
      at >= incarnation.reached &&
      moment.truncations === report.truncations &&
      endOf(moment) === report.lastZxid,
  );
  if (reached === -1) {
    // After a refusal the changes behind it apply to a shorter log, which is still one of the moments' prefixes.
    if (!incarnation.dropped) throw new Error(`reported ${report.lastZxid}, which was never told`);
    const { base, log } = lastMoment(incarnation);
    const kept = log.filter((record) => lastZxidOf(record) <= report.lastZxid);
    incarnation.moments.push({ base, log: kept, truncations: report.truncations });
    incarnation.reached = incarnation.moments.length - 1;
    return;
  }
  incarnation.reached = reached;
}

function lastMoment(incarnation: Incarnation): Moment {
  return incarnation.moments.at(-1) ?? { base: 0 as Zxid, log: [], truncations: 0 };
}

function endOf({ base, log }: Moment): Zxid {
  return log.length === 0 ? base : lastZxidOf(log.at(-1));
}

/** The records are the moment's after `base`, which is a place where the moment's log can begin. */
function sameFrom(base: Zxid, moment: Moment, records: readonly Uint8Array[]): boolean {
  const begins = base === moment.base || moment.log.some((record) => lastZxidOf(record) === base);
  const after = moment.log.filter((record) => lastZxidOf(record) > base);
  return begins && sameLog(after, records);
}

function sameLog(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  if (one.length !== other.length) return false;
  return one.every((record, at) => Buffer.compare(record, other[at] ?? new Uint8Array(0)) === 0);
}

function sameZxids(records: readonly Uint8Array[], zxids: readonly Zxid[]): boolean {
  if (records.length !== zxids.length) return false;
  return records.every((record, at) => lastZxidOf(record) === zxids[at]);
}
