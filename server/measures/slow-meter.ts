/**
 * Says where the time of slow requests went, as far as a thread knows. Gateways name them: what was measured of their batches anyway is put beside
 * them, and sent behind them to the admin actor.
 */
import type {
  SlowRequest,
  SlowRequests,
  SlowStages,
  Stamps,
} from "../../actors/admin/slow/messages.ts";
import type { MeasuredStep, StepMeter } from "../../runtime/meter.ts";
import { BatchJournal } from "./batch-journal.ts";
import { WriteJournal } from "./write-journal.ts";

/** Each thread has its own beginning of `performance.now`. The clock of `hrtime` is one for all. */
const CLOCK_OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

type Stages = SlowStages["stages"][number];
type Tell = (message: SlowStages) => void;

export class SlowMeter {
  /** The lane's last batches, on a thread with a lane. */
  readonly batches: BatchJournal = new BatchJournal();
  /** The node's last records, on the thread of replication. */
  readonly writes: WriteJournal = new WriteJournal();
  readonly #tell: Tell;
  /** Those of this turn of the loop. */
  #named: SlowRequests[] = [];

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** A gateway names its slow requests at the end of a turn of the loop. */
  ofGateway(): StepMeter {
    return {
      kinds: new Set(["endOfTurn"]),
      step: ({ effects }) => {
        const named = namedIn(effects);
        if (named !== undefined) this.#named.push(named);
      },
    };
  }

  /** The admin actor hears of those of all lanes, on the thread that knows their records. */
  ofAdmin(): StepMeter {
    return {
      kinds: new Set<SlowRequests["kind"]>(["slowRequests"]),
      step: ({ message }) => {
        const { from, requests } = message as SlowRequests;
        const stages = requests.flatMap((request) => this.#ofRecords(request) ?? []);
        if (stages.length > 0) this.#tell({ kind: "slowStages", from, stages });
      },
    };
  }

  #ofRecords({ number, zxid }: SlowRequest): Stages | undefined {
    const record = zxid === null ? undefined : this.writes.find(zxid);
    if (record === undefined) return undefined;
    const { leads, publishedMs, loggedMs, committedMs } = record;
    const stamps = {
      published: ofProcess(publishedMs),
      ...(loggedMs !== undefined && { logged: ofProcess(loggedMs) }),
      ...(committedMs !== undefined && { committed: ofProcess(committedMs) }),
    };
    return { number, leads, stamps };
  }

  /** The turn of the loop has sent what it had to send. */
  turnEnds(nowMs: number): void {
    if (this.#named.length === 0) return;
    for (const { from, requests } of this.#named) {
      const stages = requests.map((request) => this.#ofBatch(request, nowMs));
      this.#tell({ kind: "slowStages", from, stages });
    }
    this.#named = [];
  }

  #ofBatch({ number, zxid, isWrite, startedMs }: SlowRequest, nowMs: number): Stages {
    const batch = zxid === null ? undefined : this.batches.find(zxid);
    // A read shows the zxid of a batch that it may not have waited behind.
    const isBehind = batch !== undefined && (isWrite || batch.appliedMs >= startedMs);
    const ofBatch: Stamps = isBehind
      ? {
          made: ofProcess(batch.madeMs),
          applying: ofProcess(batch.applyingMs),
          applied: ofProcess(batch.appliedMs),
        }
      : {};
    const stamps = { started: ofProcess(startedMs), ...ofBatch, replied: ofProcess(nowMs) };
    return { number, stamps };
  }
}

function namedIn(effects: MeasuredStep["effects"]): SlowRequests | undefined {
  for (const effect of effects) {
    if (effect.kind !== "tell" || effect.to !== "admin") continue;
    const message = effect.message as SlowRequests;
    if (message.kind === "slowRequests") return message;
  }
  return undefined;
}

function ofProcess(threadMs: number): number {
  return threadMs + CLOCK_OFFSET_MS;
}
