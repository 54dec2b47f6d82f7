/** Checks the invariants of replication, I1 to I8, after every step of the actors that they concern. */
import type { LogReport } from "../../../actors/log/messages.ts";
import type { EpochPromise } from "../../../protocol/replication.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import type { SubmitterTable } from "../../../actors/log-sync/submitters.ts";
import type { TreeState } from "../../../actors/tree/tree.ts";
import type { Configuration } from "../../../protocol/configuration.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { recordHeader } from "../../../protocol/record.ts";
import { epochOf, formatZxid, type Zxid, ZXID_NONE, zxidOf } from "../../../protocol/zxid.ts";
import { FeedChecks } from "./feed.ts";
import { treeProblemAt } from "./trees.ts";
import type { Truth } from "./truth.ts";
import { must } from "./violation.ts";

/** What is known of a node's log, over all of its incarnations. */
export type NodeLog = {
  readonly node: number;
  /** The state of the last incarnation that has read its log. */
  state: LogSyncState | undefined;
  /** Its log before its disk was damaged, as long as it has not regained its vote. */
  beforeDamage: LogSyncState | undefined;
  damaged: boolean;
  /** The zxid after which everything is lost, because its last write is gone as if it had never been synced. */
  lostAfter: Zxid | undefined;
  promisedEpoch: number;
  /**
   * The highest promise to another node that was ever on its disk, whether the disk was damaged since or not. A promise to itself
   * binds no other node.
   */
  everPromised: number;
  /** What this incarnation has committed. */
  committed: Zxid;
  leadingEpoch: number;
  /** The epoch in which it accepts batches. */
  activeEpoch: number;
};

export function newNodeLog(node: number): NodeLog {
  return {
    node,
    state: undefined,
    beforeDamage: undefined,
    damaged: false,
    lostAfter: undefined,
    promisedEpoch: 0,
    everPromised: 0,
    committed: ZXID_NONE,
    leadingEpoch: 0,
    activeEpoch: 0,
  };
}

/** After every record. */
const NEVER = Number.POSITIVE_INFINITY as Zxid;

type Written = { readonly checksum: number; readonly prevZxid: Zxid };

export class Invariants {
  readonly feed: FeedChecks;
  readonly #logs: readonly NodeLog[];
  readonly #quorum: number;
  readonly #truth: Truth;
  /** The folder that leads each epoch. Two processes may have one number, so the number would not do. */
  readonly #leaders = new Map<number, { readonly node: number; readonly identity: Identity }>();
  /** The largest zxid that the leader of an epoch, or a follower of that leader, has committed. */
  readonly #committedIn = new Map<number, Zxid>();
  /** For each folder that was ever a voter, the record from which on it counts under its number. */
  readonly #boundSince = new Map<Identity, Zxid>();
  readonly #noted = new WeakSet<Configuration>();
  /** Every record that was ever given to a log. */
  readonly #written = new Map<Zxid, Written>();

  constructor(logs: readonly NodeLog[], truth: Truth) {
    this.#logs = logs;
    this.#quorum = Math.floor(logs.length / 2) + 1;
    this.#truth = truth;
    this.feed = new FeedChecks(truth);
    truth.onCommitted = (node, header) => this.#checkDurable(node, header.lastZxid);
  }

  /** A new incarnation of the node. */
  started(log: NodeLog): void {
    log.committed = ZXID_NONE;
    log.leadingEpoch = 0;
    log.activeEpoch = 0;
  }

  /** Notes that something durable on the node's disk is gone or changed. */
  damaged(log: NodeLog): void {
    log.beforeDamage ??= log.state;
    log.damaged = true;
    log.state = undefined;
  }

  /** Notes that its last write is gone: it may vote without what it held after this zxid. */
  lost(log: NodeLog, after: Zxid): void {
    log.lostAfter = Math.min(after, log.lostAfter ?? after) as Zxid;
    this.damaged(log);
  }

  /** Whether a quorum without this node holds everything that the node reports as durable. */
  isSpared(log: NodeLog): boolean {
    const { state } = log;
    if (state === undefined || log.damaged || state.log.truncating) return false;
    const others = this.#holdersOf(state.log.durable).filter((node) => node !== log.node);
    return others.length >= this.#quorum;
  }

  /** After every step of log-sync. */
  afterLogSync(log: NodeLog, state: LogSyncState): void {
    if (!state.recovered) return;
    log.state = state;
    this.#noteVoters(state);
    if (log.damaged && state.repair === undefined) {
      const { lostAfter, beforeDamage } = log;
      const known = Math.min(
        beforeDamage?.delivery.committed ?? ZXID_NONE,
        lostAfter ?? NEVER,
        beforeDamage === undefined ? NEVER : this.#countedUntil(beforeDamage, state),
      ) as Zxid;
      must(state.log.durable >= known && holds(state, known), "I3 committed stays", () => {
        return `node ${log.node} votes again without ${formatZxid(known)}, which it knew to be committed`;
      });
      this.#checkRegained(log, state);
      log.damaged = false;
      log.lostAfter = undefined;
      log.beforeDamage = undefined;
      log.promisedEpoch = 0;
    }
    const {
      role,
      promises: { durable: promise },
      delivery: { committed },
    } = state;
    if (committed !== log.committed) {
      must(committed > log.committed, "I7 nothing goes back", () => {
        return `the commit mark of node ${log.node} went from ${formatZxid(log.committed)} to ${formatZxid(committed)}`;
      });
      must(committed <= state.log.durable || state.log.truncating, "I6 memory is the disk", () => {
        return `node ${log.node} commits ${formatZxid(committed)}, ${formatZxid(state.log.durable)} is durable there`;
      });
      log.committed = committed;
      if (role.kind === "leading" || role.kind === "following") {
        const { epoch } = role;
        const before = this.#committedIn.get(epoch) ?? ZXID_NONE;
        // A follower may also learn of what was committed in earlier epochs.
        const isOfEpoch = role.kind === "leading" || epochOf(committed) === epoch;
        if (before === ZXID_NONE && isOfEpoch) {
          this.#checkBarrier(log.node, zxidOf(epoch, 0), committed);
        }
        if (isOfEpoch && committed > before) this.#committedIn.set(epoch, committed);
      }
    }
    this.#promised(log, promise);
    if (role.kind === "leading" && role.epoch !== log.leadingEpoch) {
      log.leadingEpoch = role.epoch;
      this.#leads(log.node, state, role.epoch);
    }
    if (role.kind === "leading" && role.active && role.epoch !== log.activeEpoch) {
      log.activeEpoch = role.epoch;
      // A leader that was paused may reach this late: it knows nothing of what later leaders accepted, and commits nothing more.
      const isLate = epochOf(this.#truth.latest) > role.epoch;
      if (!isLate) this.#checkTaken(log.node, role.taken);
    }
  }

  /** Checks that nothing depends on what a node has forgotten whose disk was damaged, when it votes again. */
  #checkRegained(
    { node, beforeDamage, lostAfter, everPromised }: NodeLog,
    state: LogSyncState,
  ): void {
    const {
      role,
      promises: { durable: promise },
    } = state;
    must(promise.epoch >= everPromised, "I7 nothing goes back", () => {
      return `node ${node} votes again in epoch ${promise.epoch}, and had promised ${everPromised}`;
    });
    if (beforeDamage === undefined || role.kind !== "following") return;
    const leader = this.#logs.find((log) => log.node === role.leader)?.state;
    if (leader?.role.kind !== "leading" || leader.role.epoch !== role.epoch) return;
    const {
      log: { index, durable },
    } = beforeDamage;
    const acknowledged = Math.min(
      durable,
      lostAfter ?? durable,
      this.#countedUntil(beforeDamage, state),
    ) as Zxid;
    let zxid = index.floor(acknowledged);
    while (zxid > leader.log.index.base && zxid > index.base && !leader.log.index.holds(zxid)) {
      zxid = index.floor((zxid - 1) as Zxid);
    }
    if (zxid > acknowledged || !leader.log.index.holds(zxid)) return;
    must(state.log.durable >= zxid && holds(state, zxid), "I3 committed stays", () => {
      return `node ${node} votes again without ${formatZxid(zxid)}, which it may have acknowledged and its leader holds`;
    });
  }

  /** A folder that is replaced may go on in a process beside the new one. What it acknowledges or learns after it was unbound counts for nothing. */
  #countedUntil(before: LogSyncState, { membership }: LogSyncState): Zxid {
    const { identity } = membership;
    if (identity === undefined || identity === before.membership.identity) return NEVER;
    const since = this.#boundSince.get(identity);
    return since === undefined ? NEVER : ((since - 1) as Zxid);
  }

  #noteVoters({ membership: { settled } }: LogSyncState): void {
    if (settled === undefined || this.#noted.has(settled)) return;
    this.#noted.add(settled);
    for (const { identity } of settled.voters) {
      const since = this.#boundSince.get(identity) ?? NEVER;
      this.#boundSince.set(identity, Math.min(since, settled.since) as Zxid);
    }
  }

  /** Checks that a leader that accepts its first batch knows everything that was accepted before it. */
  #checkTaken(node: number, taken: SubmitterTable): void {
    for (const { submitter, seq } of this.#truth.batches()) {
      const verdict = taken.judge(submitter, seq);
      const isKnown =
        verdict.kind === "repeated" ||
        (verdict.kind === "refuse" && verdict.reason === "staleIncarnation");
      must(isKnown, "exactly once", () => {
        const lane = `lane ${submitter.lane} of node ${submitter.server}`;
        return `leader ${node} does not know that batch ${seq} of ${lane} was taken`;
      });
    }
  }

  #promised(log: NodeLog, { epoch, candidate }: EpochPromise): void {
    if (candidate !== log.node) log.everPromised = Math.max(log.everPromised, epoch);
    if (log.damaged) return;
    must(epoch >= log.promisedEpoch, "I7 nothing goes back", () => {
      return `node ${log.node} had promised epoch ${log.promisedEpoch} and now stands at ${epoch}`;
    });
    log.promisedEpoch = epoch;
  }

  #leads(node: number, state: LogSyncState, epoch: number): void {
    const other = this.#leaders.get(epoch);
    const { identity } = state.membership;
    must(other === undefined || other.identity === identity, "I1 one leader an epoch", () => {
      return `nodes ${other?.node} and ${node} both lead epoch ${epoch}`;
    });
    this.#leaders.set(epoch, { node, identity });
    for (const [earlier, zxid] of this.#committedIn) {
      if (earlier >= epoch) continue;
      must(holds(state, zxid), "I3 committed stays", () => {
        return `leader ${node} of epoch ${epoch} lacks ${formatZxid(zxid)}, committed in epoch ${earlier}`;
      });
    }
  }

  /** Records on their way to a node's disk. */
  appends(node: number, records: readonly Uint8Array[]): void {
    for (const record of records) {
      const { prevZxid, lastZxid } = recordHeader(record);
      const checksum = new DataView(record.buffer, record.byteOffset).getUint32(4);
      const known = this.#written.get(lastZxid);
      if (known === undefined) {
        this.#written.set(lastZxid, { checksum, prevZxid });
        continue;
      }
      const same = known.checksum === checksum && known.prevZxid === prevZxid;
      must(same, "I2 equal logs", () => {
        return `node ${node} appends another record at ${formatZxid(lastZxid)} than a node before it`;
      });
    }
  }

  /** Checks, when a node has read its log, that it holds what it reported as durable, without a gap. */
  recovered(log: NodeLog, report: Extract<LogReport, { kind: "recovered" }>): void {
    let before = report.baseZxid;
    for (const zxid of report.lastZxids) {
      const written = this.#written.get(zxid);
      must(written !== undefined, "I6 memory is the disk", () => {
        return `node ${log.node} reads a record ${formatZxid(zxid)} that nobody appended`;
      });
      must(written.prevZxid === before, "I8 no gap", () => {
        return `node ${log.node} reads ${formatZxid(zxid)} after ${formatZxid(before)}`;
      });
      before = zxid;
    }
    this.#promised(log, report.promise);
    const { state } = log;
    if (state === undefined || log.damaged) return;
    must(
      report.voteLoss === undefined || state.repair !== undefined,
      "I6 memory is the disk",
      () => {
        return `node ${log.node} gives up its vote (${report.voteLoss?.reason}), and its disk was not damaged`;
      },
    );
    if (!state.log.truncating) {
      const stranger = report.lastZxids.find((zxid) => !holds(state, zxid));
      must(stranger === undefined, "I6 memory is the disk", () => {
        return `node ${log.node} reads ${formatZxid(stranger ?? before)}, which its last incarnation did not hold any more`;
      });
    }
    const durable = state.log.truncating ? state.log.index.tail : state.log.durable;
    const held = durable <= report.baseZxid || report.lastZxids.includes(durable);
    must(held, "I6 memory is the disk", () => {
      return `node ${log.node} had ${formatZxid(durable)} durable and reads up to ${formatZxid(before)}`;
    });
  }

  /** Checks I5 at the moment of the commit; no acknowledgement is sent before it. */
  #checkDurable(node: number, zxid: Zxid): void {
    const holders = this.#holdersOf(zxid);
    must(holders.length >= this.#quorum, "I5 acknowledged is durable", () => {
      const on = holders.join(", ");
      return `node ${node} commits ${formatZxid(zxid)} (epoch ${epochOf(zxid)}), durable on ${on || "none"} only`;
    });
  }

  #holdersOf(zxid: Zxid): number[] {
    const holders = this.#logs.filter((log) => {
      if (log.lostAfter !== undefined && zxid > log.lostAfter) return false;
      return [log.state, log.beforeDamage].some((state) => {
        return state !== undefined && state.log.durable >= zxid && holds(state, zxid);
      });
    });
    return holders.map((log) => log.node);
  }

  /** A later leader may still overwrite what only older epochs wrote, however many hold it (Ongaro, section 5.4.2). */
  #checkBarrier(node: number, barrier: Zxid, committed: Zxid): void {
    const holders = this.#holdersOf(barrier);
    must(holders.length >= this.#quorum, "I3 committed stays", () => {
      return `node ${node} commits ${formatZxid(committed)} before the barrier ${formatZxid(barrier)} is durable on a quorum`;
    });
  }

  /** Checks I4 where something changed: the tree of the lane equals the model at its zxid. Returns the new cursor. */
  applied(who: string, tree: TreeState, cursor: number): number {
    const { model } = this.#truth;
    const { touched } = model;
    const { lastApplied } = tree;
    must(this.#truth.holds(lastApplied), "I4 equal trees", () => {
      return `${who} stands at ${formatZxid(lastApplied)}, where no committed record ends`;
    });
    let next = cursor;
    const seen = new Set<string>();
    for (; next < touched.length; next += 1) {
      const touch = touched[next];
      if (touch === undefined || touch.zxid > lastApplied) break;
      if (seen.has(touch.path)) continue;
      seen.add(touch.path);
      const problem = treeProblemAt(tree, model, touch.path, lastApplied);
      must(problem === undefined, "I4 equal trees", () => {
        return `${who} at ${formatZxid(lastApplied)}: ${touch.path}: ${problem}`;
      });
    }
    return next;
  }
}

/** Checks that a snapshot holds everything up to the zxid after which a log begins. */
export function holds({ log: { index } }: LogSyncState, zxid: Zxid): boolean {
  return zxid <= index.base || index.holds(zxid);
}
