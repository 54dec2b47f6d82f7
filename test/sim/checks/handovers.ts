/**
 * Checks handovers of leadership: who is told to take over holds all that the leader holds; no record is made from then on until the leader
 * gives that up; only the leader of an epoch has a node of that epoch stand; and what has waited is taken when the leader goes on.
 */
import type { LogSyncMessage, SubmitMessage } from "../../../actors/log-sync/messages.ts";
import type { Held } from "../../../actors/log-sync/handover/handover.ts";
import type { Leading, Role } from "../../../actors/log-sync/roles.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { recordHeader } from "../../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { holds, type NodeLog } from "./invariants.ts";
import { must } from "./violation.ts";

/** What was known of a process after its last step. */
type Before = {
  readonly role: Role;
  readonly tail: Zxid;
  readonly held: readonly Held[];
  /** The end of the log at which it has told a node to take over. */
  readonly asked: Zxid | undefined;
};

export class Handovers {
  readonly #logs: readonly NodeLog[];
  readonly #before = new WeakMap<LogSyncState, Before>();

  constructor(logs: readonly NodeLog[]) {
    this.#logs = logs;
  }

  /** After every step of log-sync. */
  saw(
    node: number,
    message: LogSyncMessage,
    state: LogSyncState,
    effects: readonly Effect[],
  ): void {
    const before = this.#before.get(state);
    const { handover, role, log } = state;
    const step = handover?.step;
    for (const effect of effects) if (effect.kind === "send") this.#checkSent(node, state, effect);
    if (before !== undefined) {
      this.#checkStood(node, message, state, before);
      this.#checkQuiet(node, state, before);
      if (handover === undefined) this.#checkTaken(node, state, before);
    }
    this.#before.set(state, {
      role,
      tail: log.index.tail,
      held: [...(handover?.held ?? [])],
      asked: step?.kind === "asked" && role.kind === "leading" ? step.zxid : undefined,
    });
  }

  #checkSent(
    node: number,
    state: LogSyncState,
    { to, message }: Extract<Effect, { readonly kind: "send" }>,
  ): void {
    const told = message as LogSyncMessage | { readonly kind: string; readonly zxid: Zxid };
    if (told.kind !== "takeOver" || !("zxid" in told)) return;
    const zxid = told.zxid as Zxid;
    const what = (): string => `node ${node} has node ${to} take over at ${formatZxid(zxid)}`;
    must(zxid === state.log.index.tail, "handover", () => `${what()}, and holds more itself`);
    const log = this.#logs.find((each) => each.node === to);
    const other = log?.state;
    // A process that was replaced, or follows a later leader, does not obey.
    if (other === undefined || log?.damaged === true) return;
    if (other.role.kind !== "following" || other.promises.durable.epoch !== epochIn(state)) return;
    must(
      other.log.durable >= zxid && holds(other, zxid),
      "handover",
      () => `${what()}, which does not hold all of that`,
    );
  }

  /** A node that has become a candidate over a message of another was told to by its leader. */
  #checkStood(node: number, message: LogSyncMessage, state: LogSyncState, before: Before): void {
    if (message.kind !== "received" || state.role.kind !== "candidate") return;
    if (before.role.kind === "candidate") return;
    const { role, tail } = before;
    const told = message.message;
    const isRight =
      told.kind === "takeOver" &&
      role.kind === "following" &&
      role.leader === message.from &&
      role.epoch === told.epoch &&
      tail === told.zxid;
    must(isRight, "handover", () => {
      return `node ${node} stands over ${told.kind} of node ${message.from}, which may not ask for it`;
    });
  }

  #checkQuiet(node: number, state: LogSyncState, { asked }: Before): void {
    if (asked === undefined || state.handover?.step.kind !== "asked") return;
    must(state.log.index.tail === asked, "handover", () => {
      return `node ${node} makes records while another is to take over at ${formatZxid(asked)}`;
    });
  }

  /**
   * The leader goes on: each batch that has waited is in its log, or has a reason not to be, which its submitter is told or can do without;
   * and each of its own proposals has become a record, once.
   */
  #checkTaken(node: number, state: LogSyncState, { held, role, tail }: Before): void {
    if (held.length === 0 || state.role !== role || role.kind !== "leading") return;
    if (state.space.disk === "full") return;
    const made = ownRecordsAfter(role, tail);
    const proposed = held.filter(({ kind }) => kind === "propose").length;
    must(made === proposed, "handover", () => {
      return `node ${node} goes on to lead and makes ${made} records of the ${proposed} that it has proposed`;
    });
    if (role.uncommittedBytes > state.sizes.uncommitted) return;
    for (const [index, message] of held.entries()) {
      // One that has overtaken another batch of its submitter is refused, and sent again.
      if (message.kind !== "submit" || hasOvertaken(held.slice(index + 1), message)) continue;
      const verdict = role.taken.judge(message.submitter, message.seq);
      must(verdict.kind !== "take", "handover", () => {
        return `node ${node} goes on to lead and has lost batch ${message.seq} of node ${message.submitter.server}`;
      });
    }
  }
}

/** How many records of the leader's own proposals it has made after this zxid. They have not been published yet. */
function ownRecordsAfter({ outbox }: Leading, tail: Zxid): number {
  return outbox.filter((record) => {
    const { kind, submitter, prevZxid } = recordHeader(record);
    return kind === "batch" && submitter === undefined && prevZxid >= tail;
  }).length;
}

function hasOvertaken(later: readonly Held[], { submitter, seq }: SubmitMessage): boolean {
  return later.some((other) => {
    if (other.kind !== "submit" || other.seq >= seq) return false;
    const { server, incarnation } = other.submitter;
    return server === submitter.server && incarnation === submitter.incarnation;
  });
}

function epochIn({ role }: LogSyncState): number | undefined {
  return role.kind === "leading" ? role.epoch : undefined;
}
