/** What enters a leader's log: the batches of submitters, each once and in sequence, and the leader's own proposals. */
import { RECORD_BYTES_MAX } from "../../protocol/limits.ts";
import { RECORD_HEADER_BYTES } from "../../protocol/record.ts";
import { hold, isHolding } from "./handover/handover.ts";
import type { LogSyncMessage, SubmitMessage, SubmitRefused } from "./messages.ts";
import type { LogSyncTurn } from "./state.ts";
import { appendRecord } from "./publish.ts";
import { encodeConfiguration, type Voter, withIdentity } from "../../protocol/configuration.ts";
import { COUNTER_MAX, counterOf, zxidAfter } from "../../protocol/zxid.ts";
import { type Leading, lookAgain } from "./roles.ts";
import { tell } from "../inboxes.ts";
import { log, sendTo } from "./effects.ts";

type Proposal = Extract<LogSyncMessage, { readonly kind: "propose" }>;

export function submit(turn: LogSyncTurn, role: Leading, message: SubmitMessage): void {
  const { state } = turn;
  // Until its barrier is delivered, a leader does not know which batches its log holds. The submitter will send the batch again.
  if (!role.active || state.space.disk === "full") return;
  if (RECORD_HEADER_BYTES + message.payload.length > RECORD_BYTES_MAX) {
    const detail = { server: message.submitter.server, bytes: message.payload.length };
    log(turn, "batchTooLarge", detail);
    return;
  }
  if (isHolding(turn)) {
    hold(turn, message);
    return;
  }
  const verdict = role.taken.judge(message.submitter, message.seq);
  if (verdict.kind === "repeated") return;
  if (verdict.kind === "refuse") {
    refuse(turn, {
      kind: "submitRefused",
      submitter: message.submitter,
      reason: verdict.reason,
      expected: verdict.expected,
    });
    return;
  }
  if (role.uncommittedBytes > state.sizes.uncommitted) return;
  if (!fitsCounter(turn, message.count)) return;
  role.taken.take(message.submitter, message.seq);
  appendRecord(turn, role, { ...message, kind: "batch" });
}

/** Logs a batch of the leader itself, with `count` operations. If it is lost with the leader, nobody repeats it. */
export function propose(turn: LogSyncTurn, role: Leading, message: Proposal): void {
  const { state } = turn;
  const { payload, count } = message;
  if (role.active && isHolding(turn)) {
    hold(turn, message);
    return;
  }
  if (!role.active || state.space.disk === "full" || !fitsCounter(turn, count)) return;
  appendRecord(turn, role, { kind: "batch", payload, count, submitter: undefined, seq: 0 });
}

/** Logs a configuration that binds a number to another folder. The caller sees that no other change is still uncommitted. */
export function logConfiguration(turn: LogSyncTurn, role: Leading, voter: Voter): void {
  const { state } = turn;
  const { settled } = state.membership;
  // The folder that is to be bound asks again.
  if (isHolding(turn)) return;
  if (settled === undefined || !role.active || state.space.disk === "full" || !fitsCounter(turn, 1))
    return;
  const since = zxidAfter(state.log.index.tail, 1);
  const payload = encodeConfiguration(withIdentity(settled, voter, since));
  appendRecord(turn, role, {
    kind: "configuration",
    payload,
    count: 1,
    submitter: undefined,
    seq: 0,
  });
}

/** Whether the epoch's counter has this many zxids left. If not, the leader looks again, so that a new epoch begins. */
function fitsCounter(turn: LogSyncTurn, count: number): boolean {
  const { state } = turn;
  if (counterOf(state.log.index.tail) + count <= COUNTER_MAX) return true;
  lookAgain(turn, "the zxid counter of this epoch is full");
  return false;
}

function refuse(turn: LogSyncTurn, refusal: SubmitRefused): void {
  const { state } = turn;
  const { submitter } = refusal;
  if (submitter.server === state.options.server) {
    turn.effects.push(tell(`submitter/${submitter.lane}`, refusal));
  } else {
    sendTo(turn, submitter.server, refusal);
  }
}

/** Passes the leader's refusal of a batch on to the lane of this node that submitted it. */
export function passRefusal(turn: LogSyncTurn, refusal: SubmitRefused): void {
  const { options } = turn.state;
  const { server, lane } = refusal.submitter;
  if (server === options.server && lane <= options.lanes) refuse(turn, refusal);
}
