/**
 * Checks I9: a durable record stays on a node's disk until a snapshot covers it or the log of a leader contradicts it. A record is
 * contradicted if the node follows a leader whose log does not hold it. A committed record never is.
 */
import type { LogState } from "../../../actors/log/log.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { NodeLog } from "./invariants.ts";
import type { Truth } from "./truth.ts";
import { must } from "./violation.ts";

/** One incarnation of a log, as it was when it was last checked. */
type Held = {
  truncations: number;
  base: Zxid;
  /** The last zxids of the durable records, ascending. */
  zxids: Zxid[];
};

export class Kept {
  readonly #logs: readonly NodeLog[];
  readonly #truth: Truth;
  /** By incarnation. */
  readonly #incarnations = new WeakMap<LogState, Held>();
  /** The current incarnation of each node's log. */
  readonly #held = new Map<number, Held>();
  readonly #truncating = new WeakSet<LogSyncState>();

  constructor(logs: readonly NodeLog[], truth: Truth) {
    this.#logs = logs;
    this.#truth = truth;
  }

  /** After every step of the log: nothing that is committed is gone. */
  afterLog({ node }: NodeLog, state: LogState): void {
    if (!state.recovered || state.stopped) return;
    const { index, truncations, snapshots } = state;
    const held = this.#incarnations.get(state) ?? { truncations, base: index.base, zxids: [] };
    if (!this.#incarnations.has(state)) {
      this.#incarnations.set(state, held);
      this.#held.set(node, held);
    }
    if (index.base !== held.base) {
      const covered = index.base === ZXID_NONE || snapshots.some(({ zxid }) => zxid >= index.base);
      must(covered, "I9 durable stays", () => {
        return `the log of node ${node} begins after ${formatZxid(index.base)}, which no snapshot holds`;
      });
      held.base = index.base;
      held.zxids = held.zxids.filter((zxid) => zxid > index.base);
    }
    if (truncations !== held.truncations) {
      held.truncations = truncations;
      const gone = held.zxids.filter((zxid) => !index.holds(zxid));
      const wrong = gone.find((zxid) => this.#truth.holds(zxid));
      must(wrong === undefined, "I9 durable stays", () => {
        return `node ${node} gives up ${formatZxid(wrong ?? ZXID_NONE)}, which is committed`;
      });
      held.zxids = held.zxids.filter((zxid) => index.holds(zxid));
    }
    const after = held.zxids.at(-1) ?? held.base;
    for (let number = index.countUpTo(after); number < index.count; number += 1) {
      held.zxids.push(index.lastZxidOf(number));
    }
  }

  /** Called after every step of log-sync: the node gives up nothing that the leader holds which it follows. */
  afterLogSync({ node }: NodeLog, state: LogSyncState): void {
    const {
      role,
      log: { truncating, index },
      snapshots: { transfer },
    } = state;
    if (!truncating) this.#truncating.delete(state);
    if (!truncating || this.#truncating.has(state)) return;
    this.#truncating.add(state);
    if (role.kind !== "following") return;
    const leader = this.#logs.find((log) => log.node === role.leader)?.state;
    if (leader?.role.kind !== "leading" || leader.role.epoch !== role.epoch) return;
    const end = transfer?.step === "installing" ? transfer.snapshot.zxid : index.tail;
    const gone = this.#held.get(node)?.zxids.filter((zxid) => zxid > end) ?? [];
    const wrong = gone.find((zxid) => leader.log.index.holds(zxid));
    must(wrong === undefined, "I9 durable stays", () => {
      return `node ${node} gives up ${formatZxid(wrong ?? ZXID_NONE)}, which its leader ${role.leader} holds`;
    });
  }
}
