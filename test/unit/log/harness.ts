/** Runs a log actor against a disk, one disk operation at a time, so that a test can end its incarnation between any two. */
import { crc32 } from "node:zlib";
import type { ServerId } from "../../../protocol/ids.ts";
import { encodeRecord } from "../../../protocol/record.ts";
import { CHUNK_HEADER_BYTES, sealChunk } from "../../../protocol/snapshot.ts";
import { type Epoch, type Zxid, zxidOf } from "../../../protocol/zxid.ts";
import { logActor, type LogOptions, type LogState } from "../../../actors/log/log.ts";
import { encodeLogEnd } from "../../../actors/log/segments/log-end.ts";
import type { LogMessage, LogReport, LogTimer } from "../../../actors/log/messages.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import type { TreeMessage } from "../../../actors/tree/messages.ts";
import { DrivenActor } from "../../../runtime/testing/driven.ts";
import type { Context } from "../../../runtime/turn.ts";
import type { Disk, DiskOperation, DiskResult } from "../../../runtime/disk.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import type { LogActorEffect } from "../../../actors/log/state.ts";

export const checksum = (bytes: Uint8Array, value?: number): number => crc32(bytes, value);
export const server1 = 1 as ServerId;
export const server2 = 2 as ServerId;

export function epoch(value: number): Epoch {
  return value as Epoch;
}

export const WALL_MS = 1_700_000_000_000;

const context: Context = {
  nowMs: 0,
  wallMs: WALL_MS,
  random: () => 0.5,
  randomBytes: (length) => new Uint8Array(length),
};

export type ToTree = Extract<
  TreeMessage,
  { kind: "cutSnapshot" | "chunkStored" | "snapshotRefused" | "snapshotChunk" }
>;

type DiskWork = {
  readonly tag: number;
  readonly operations: readonly DiskOperation[];
  readonly results: DiskResult[];
};

type HarnessOptions = { readonly random?: number };

export class LogHarness {
  readonly disk: Disk;
  readonly reports: LogReport[] = [];
  /** Told to the trees. */
  readonly toTrees: ToTree[] = [];
  readonly performed: DiskOperation[] = [];
  /** Events of the inspection stream. */
  readonly events: string[] = [];
  stopReason: string | undefined = undefined;
  readonly #log: DrivenActor<LogState, LogMessage, LogActorEffect>;
  #endOfTurn = false;
  #context: Context;
  readonly #inbox: LogMessage[] = [];
  readonly #timers = new Map<LogTimer, number>();
  #work: DiskWork | undefined = undefined;

  /** `random`: every byte of chance. */
  constructor(disk: Disk, { random = 0, ...options }: Partial<LogOptions> & HarnessOptions = {}) {
    this.disk = disk;
    this.#context = { ...context, randomBytes: (length) => new Uint8Array(length).fill(random) };
    const actor = logActor({
      server: server1,
      ensemble: "test",
      segmentBytes: 4096,
      crc32: checksum,
      ...options,
    });
    this.#log = new DrivenActor(actor, this.#context);
    this.#take(this.#log.started);
  }

  tell(message: LogMessage): void {
    this.#inbox.push(message);
  }

  /** One disk operation, or one message, or the end of a turn, or the timer of an idle log. False: nothing is left to do. */
  step(): boolean {
    if (this.stopReason !== undefined) return false;
    if (this.#work !== undefined) return this.#stepDisk(this.#work);
    const message = this.#inbox.shift() ?? this.#next();
    if (message === undefined) return false;
    this.#take(this.#log.receive(message, this.#context));
    return true;
  }

  /** Nothing is under way; the timer of an idle log may run. */
  get isQuiet(): boolean {
    return this.#work === undefined && this.#inbox.length === 0 && !this.#endOfTurn;
  }

  /** Until nothing is left to do. Gives back what was reported meanwhile. */
  run(): LogReport[] {
    const before = this.reports.length;
    while (this.step());
    return this.reports.slice(before);
  }

  ask(message: LogMessage): LogReport[] {
    this.tell(message);
    return this.run();
  }

  /** Lets the clock go on. Timers fire with `fire` only. */
  pass(ms: number): void {
    this.#context = { ...this.#context, nowMs: this.#context.nowMs + ms };
  }

  fire(timer: LogTimer): LogReport[] {
    if (!this.#timers.delete(timer)) throw new Error(`timer ${timer} does not run`);
    return this.ask({ kind: "timer", timer });
  }

  /** Every record of the log after `base`, read back. */
  readAll(base: Zxid = 0 as Zxid): Uint8Array[] {
    const records: Uint8Array[] = [];
    let after = base;
    for (;;) {
      const purpose = { kind: "delivery" } as const;
      const [answer] = this.ask({ kind: "read", purpose, after, bytesMax: 3000 }).filter(
        (report) => report.kind === "records",
      );
      if (answer?.kind !== "records" || answer.records.length === 0) return records;
      records.push(...answer.records);
      after = lastZxidOf(answer.records.at(-1));
    }
  }

  #stepDisk(work: DiskWork): boolean {
    const operation = work.operations[work.results.length];
    if (operation === undefined) {
      this.#work = undefined;
      this.#inbox.push({ kind: "diskDone", tag: work.tag, results: work.results });
      return true;
    }
    try {
      work.results.push(this.disk.perform(operation));
      this.performed.push(operation);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      this.#work = undefined;
      this.#inbox.push({
        kind: "diskFailed",
        tag: work.tag,
        failedAt: work.results.length,
        operation: operation.kind,
        file: "file" in operation ? operation.file : undefined,
        code: String(error.code),
      });
    }
    return true;
  }

  #next(): LogMessage | undefined {
    if (this.#endOfTurn) {
      this.#endOfTurn = false;
      return { kind: "endOfTurn" };
    }
    return this.#timers.delete("idle") ? { kind: "timer", timer: "idle" } : undefined;
  }

  #take(effects: readonly LogActorEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "tell" && effect.to === "log-sync") {
        this.reports.push(effect.message as LogReport);
      } else if (effect.kind === "tell") this.toTrees.push(effect.message as ToTree);
      else if (effect.kind === "startTimer") this.#timers.set(effect.timer, effect.afterMs);
      else if (effect.kind === "endOfTurn") this.#endOfTurn = true;
      else if (effect.kind === "stopNode") this.stopReason = effect.reason;
      else if (effect.kind === "log") this.events.push(effect.event);
      else if (effect.kind === "disk") {
        if (this.#work !== undefined) throw new Error("two disk effects are under way");
        this.#work = { tag: effect.tag, operations: effect.operations, results: [] };
      } else throw new Error(`unexpected effect ${effect.kind}`);
    }
  }
}

/** The chunks of a snapshot, filled with their index. */
export function chunks(of: Zxid, count = 1, payloadBytes = 100): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(CHUNK_HEADER_BYTES + payloadBytes).fill(index + 1);
    sealChunk(bytes, { zxid: of, index, last: index === count - 1, entries: 1 }, checksum);
    return bytes;
  });
}

/** One chunk of several, as the tree or a leader gives it. */
export function storeChunk(
  source: "tree" | "leader",
  of: { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[]; readonly index: number },
): LogMessage {
  const { zxid, chunks: all, index } = of;
  const position = all.slice(0, index).reduce((sum, { length }) => sum + length, 0);
  const bytes = all[index] ?? new Uint8Array(0);
  return { kind: "storeChunk", source, zxid, index, position, bytes };
}

/** As the tree does: each chunk when the one before is stored. */
export function cutSnapshot(log: LogHarness, of: Zxid, count = 1): LogReport[] {
  const all = chunks(of, count);
  return all.flatMap((_, index) => log.ask(storeChunk("tree", { zxid: of, chunks: all, index })));
}

/** As a power failure before the file `log-end` told of what came after `zxid`. */
export function untellEnd(files: Record<string, Uint8Array>, after: Zxid = 0 as Zxid): void {
  files["log-end"] = encodeLogEnd(after, checksum);
}

/** Which snapshot these chunks are. */
export function identityOf(of: Zxid, parts: readonly Uint8Array[]): SnapshotIdentity {
  const whole = Buffer.concat(parts);
  return { zxid: of, bytes: whole.length, checksum: checksum(whole) };
}

/** A record of `count` operations that follows `prevZxid`. */
export function recordAfter(
  prevZxid: Zxid,
  at: { readonly epoch: number; readonly counter: number; readonly count?: number },
  payloadBytes = 40,
): Uint8Array {
  const firstZxid = zxidOf(epoch(at.epoch), at.counter);
  return encodeRecord(
    {
      kind: at.counter === 0 ? "barrier" : "batch",
      firstZxid,
      lastZxid: zxidOf(epoch(at.epoch), at.counter + (at.count ?? 1) - 1),
      prevZxid,
      timeMs: 1000,
      submitter: undefined,
      seq: 0,
    },
    new Uint8Array(payloadBytes).fill(at.counter % 251),
    checksum,
  );
}

/** Records of one operation each, from `from` to `to`, of one epoch; the first follows `prevZxid`. */
export function records(
  inEpoch: number,
  from: number,
  to: number,
  prevZxid: Zxid = from === 0 ? (0 as Zxid) : zxidOf(epoch(inEpoch), from - 1),
  payloadBytes = 40,
): Uint8Array[] {
  const made: Uint8Array[] = [];
  let prev = prevZxid;
  for (let counter = from; counter <= to; counter += 1) {
    made.push(recordAfter(prev, { epoch: inEpoch, counter }, payloadBytes));
    prev = zxidOf(epoch(inEpoch), counter);
  }
  return made;
}

export function lastZxidOf(record: Uint8Array | undefined): Zxid {
  if (record === undefined) return 0 as Zxid;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  return (view.getUint32(24) * 2 ** 32 + view.getUint32(28)) as Zxid;
}

export function zxid(inEpoch: number, counter: number): Zxid {
  return zxidOf(epoch(inEpoch), counter);
}

/** A log that has promised epoch 1 and holds the records 0 to `to` of it, each written and synced on its own. */
export function logWith(to: number, disk: Disk = new MemoryDisk(), payloadBytes = 40): LogHarness {
  const log = new LogHarness(disk);
  log.run();
  log.ask({ kind: "promise", promise: { epoch: epoch(1), candidate: server1 } });
  for (const record of records(1, 0, to, 0 as Zxid, payloadBytes)) {
    log.ask({ kind: "append", records: [record] });
  }
  return log;
}

export function recovered(log: LogHarness): Extract<LogReport, { kind: "recovered" }> {
  log.run();
  const [first] = log.reports;
  if (first?.kind !== "recovered") throw new Error(`not recovered: ${log.stopReason}`);
  return first;
}
