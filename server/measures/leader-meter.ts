/** Measures at the leader what becomes of records: how long they are gathered, and how long its disk and the quorum's take. */
import type { LogMessage } from "../../actors/log/messages.ts";
import type { LogSyncMessage } from "../../actors/log-sync/messages.ts";
import { recordHeader } from "../../protocol/record.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { MeasuredStep, StepMeter } from "../../runtime/meter.ts";
import type { Measuring } from "./meter.ts";

/** Records that were published together, and are not known to be committed. */
type Published = { readonly through: Zxid; readonly atMs: number; isLogged: boolean };

/** Publications that are followed at a time; a leader has fewer, unless its quorum is gone. */
const PUBLISHED_MAX = 1024;

export class LeaderMeter implements StepMeter {
  readonly kinds: ReadonlySet<string> = new Set<LogSyncMessage["kind"]>([
    ...(["submit", "received", "endOfTurn", "appended", "leaderLost", "elected"] as const),
  ]);
  readonly #measuring: Measuring;
  /** Since when batches are gathered. */
  #gatheringSinceMs: number | undefined;
  #published: Published[] = [];

  constructor(measuring: Measuring) {
    this.#measuring = measuring;
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
        break;
      case "endOfTurn":
        // A leader publishes then, and a follower appends when it is sent something.
        for (const effect of effects) {
          if (effect.kind === "tell" && effect.to === "log") {
            this.#append(effect.message as LogMessage, endedMs);
          }
        }
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
    let done = 0;
    for (const each of this.#published) {
      if (each.through > through) break;
      // What is delivered here is durable here, which the log may be about to say.
      if (!each.isLogged) this.#measuring.add("stage.log", nowMs - each.atMs);
      this.#measuring.add("stage.quorum", nowMs - each.atMs);
      done += 1;
    }
    this.#published.splice(0, done);
  }

  #append(message: LogMessage, nowMs: number): void {
    if (message.kind !== "append") return;
    const last = message.records.at(-1);
    if (last === undefined) return;
    if (this.#gatheringSinceMs !== undefined) {
      this.#measuring.add("stage.queue", nowMs - this.#gatheringSinceMs);
    }
    this.#gatheringSinceMs = undefined;
    const operations = operationsOf(message.records);
    this.#measuring.add("publishedOperations", operations);
    this.#measuring.count("proposals", operations);
    if (this.#published.length === PUBLISHED_MAX) this.#published = [];
    const { lastZxid: through } = recordHeader(last);
    this.#published.push({ through, atMs: nowMs, isLogged: false });
  }

  #logged(through: Zxid, nowMs: number): void {
    for (const each of this.#published) {
      if (each.through > through) break;
      if (!each.isLogged) this.#measuring.add("stage.log", nowMs - each.atMs);
      each.isLogged = true;
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
