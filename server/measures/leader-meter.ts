/**
 * Measures what becomes of records: at the leader how long they are gathered, and how long its disk and the quorum's take; at every node when, for
 * the slow requests of its clients.
 */
import type { SlowRecord } from "../../actors/admin/slow/messages.ts";
import type { LogMessage } from "../../actors/log/messages.ts";
import type { LogSyncMessage } from "../../actors/log-sync/messages.ts";
import { recordHeader } from "../../protocol/record.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Effect } from "../../runtime/effects.ts";
import type { MeasuredStep, StepMeter } from "../../runtime/meter.ts";
import type { Measuring } from "./meter.ts";
import type { WriteJournal } from "./write-journal.ts";

/** Records that were published together, and are not known to be committed. */
type Published = {
  readonly from: Zxid;
  readonly through: Zxid;
  /** How long they were gathered. */
  readonly queueMs: number;
  readonly atMs: number;
  /** Undefined: that is not known yet. */
  loggedMs: number | undefined;
};

type LeaderMeterOptions = {
  readonly journal: WriteJournal;
  /** Is told of records that took so long from their first batch to their quorum, which may have made a request slow. */
  readonly slowMs: number;
  readonly onSlow: (record: SlowRecord) => void;
};

/** Publications that are followed at a time; a leader has fewer, unless its quorum is gone. */
const PUBLISHED_MAX = 1024;

export class LeaderMeter implements StepMeter {
  readonly kinds: ReadonlySet<string> = new Set<LogSyncMessage["kind"]>([
    ...(["submit", "received", "endOfTurn", "appended", "leaderLost", "elected"] as const),
  ]);
  readonly #measuring: Measuring;
  readonly #options: LeaderMeterOptions;
  /** Since when batches are gathered. */
  #gatheringSinceMs: number | undefined;
  #published: Published[] = [];

  constructor(measuring: Measuring, options: LeaderMeterOptions) {
    this.#measuring = measuring;
    this.#options = options;
  }

  step({ message, effects, startedMs, endedMs }: MeasuredStep): void {
    const given = message as LogSyncMessage;
    switch (given.kind) {
      case "submit":
        this.#gatheringSinceMs ??= startedMs;
        break;
      case "appended":
        this.#logged(given.lastZxid, startedMs);
        break;
      case "leaderLost":
      case "elected":
        // Another epoch begins: what was under way in this one is measured by nobody.
        this.#published = [];
        this.#gatheringSinceMs = undefined;
        break;
      case "received":
        // The batch of another node's lane.
        if (given.message.kind === "submit") this.#gatheringSinceMs ??= startedMs;
        // What the leader has published.
        if (given.message.kind === "append") this.#append(effects, endedMs, false);
        break;
      case "endOfTurn":
        // A leader publishes then, and a follower appends when it is sent something.
        this.#append(effects, endedMs, true);
        break;
      default:
        break;
    }
  }

  /** What is committed was delivered to the trees of this node, which may lead or follow. */
  committed(records: readonly Uint8Array[], nowMs: number): void {
    const last = records.at(-1);
    if (last === undefined) return;
    this.#measuring.count("commits", operationsOf(records));
    const through = recordHeader(last).lastZxid;
    this.#options.journal.committed(through, nowMs);
    let done = 0;
    for (const each of this.#published) {
      if (each.through > through) break;
      // What is delivered here is durable here, which the log may be about to say.
      if (each.loggedMs === undefined) this.#measuring.add("stage.log", nowMs - each.atMs);
      this.#measuring.add("stage.quorum", nowMs - each.atMs);
      this.#sayIfSlow(each, nowMs);
      done += 1;
    }
    this.#published.splice(0, done);
  }

  #sayIfSlow({ from, through, queueMs, atMs, loggedMs }: Published, nowMs: number): void {
    const { slowMs, onSlow } = this.#options;
    const quorumMs = nowMs - atMs;
    if (queueMs + quorumMs < slowMs) return;
    const zxids = { firstZxid: from, lastZxid: through };
    const logMs = (loggedMs ?? nowMs) - atMs;
    onSlow({ kind: "slowRecord", ...zxids, queueMs, logMs, quorumMs });
  }

  /** What the step has given the log. `leads`: the node has published it itself. */
  #append(effects: readonly Effect[], nowMs: number, leads: boolean): void {
    for (const effect of effects) {
      if (effect.kind !== "tell" || effect.to !== "log") continue;
      const message = effect.message as LogMessage;
      if (message.kind !== "append") continue;
      const [first, last] = [message.records[0], message.records.at(-1)];
      if (first === undefined || last === undefined) continue;
      const { firstZxid } = recordHeader(first);
      const { lastZxid } = recordHeader(last);
      this.#options.journal.published({ firstZxid, lastZxid }, leads, nowMs);
      if (leads) this.#publish(firstZxid, lastZxid, message.records, nowMs);
    }
  }

  #publish(from: Zxid, through: Zxid, records: readonly Uint8Array[], atMs: number): void {
    const queueMs = this.#gatheringSinceMs === undefined ? 0 : atMs - this.#gatheringSinceMs;
    if (this.#gatheringSinceMs !== undefined) this.#measuring.add("stage.queue", queueMs);
    this.#gatheringSinceMs = undefined;
    const operations = operationsOf(records);
    this.#measuring.add("publishedOperations", operations);
    this.#measuring.count("proposals", operations);
    if (this.#published.length === PUBLISHED_MAX) this.#published = [];
    this.#published.push({ from, through, queueMs, atMs, loggedMs: undefined });
  }

  #logged(through: Zxid, nowMs: number): void {
    this.#options.journal.logged(through, nowMs);
    for (const each of this.#published) {
      if (each.through > through) break;
      if (each.loggedMs === undefined) this.#measuring.add("stage.log", nowMs - each.atMs);
      each.loggedMs ??= nowMs;
    }
  }
}

function operationsOf(records: readonly Uint8Array[]): number {
  let operations = 0;
  for (const record of records) {
    const { firstZxid, lastZxid } = recordHeader(record);
    operations += lastZxid - firstZxid + 1;
  }
  return operations;
}
