/**
 * How a folder takes the place of another one under its number. It asks to join. A leader that has not heard of the old folder's process
 * for a while admits the new one as a guest, which follows and counts for nothing. When the guest has caught up, the leader logs the
 * configuration that binds the number to it. Until that is known to be committed, neither folder counts under the number.
 */
import type { PeerSender } from "../../../runtime/transport.ts";
import { identityOf } from "../../../protocol/configuration.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { ZXID_NONE } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { logConfiguration } from "../submit.ts";
import { isBound } from "./membership.ts";
import type { LogSyncPeerMessage } from "../messages.ts";
import { type LogSyncState, type LogSyncTurn } from "../state.ts";
import type { Leading } from "../roles.ts";
import { log, broadcast, sendTo } from "../effects.ts";

export type JoinAnswer = Extract<LogSyncPeerMessage, { kind: "joinAnswer" }>;

const JOIN_INTERVAL_MS = 300;
/** No folder counts under a number while it is being bound to another one, so the other voters must be a quorum without it. */
const VOTERS_MIN = 3;
/** Milliseconds after which the node's log repeats that a folder is not admitted. */
const LOG_AGAIN_MS = 10_000;

/** Asks to join, and again at each interval while another folder has this node's number. */
export function askToJoin(turn: LogSyncTurn): void {
  const { state } = turn;
  if (isBound(state)) return;
  turn.effects.push({ kind: "startTimer", timer: "join", afterMs: JOIN_INTERVAL_MS });
  if (!mayAsk(state)) return;
  broadcast(turn, { kind: "join" });
}

/**
 * Whether this folder may join. A folder without an ensemble may only if its log is empty: what it holds belongs to no ensemble, and
 * nothing is ever thrown away.
 */
function mayAsk({ founding, log: { index } }: LogSyncState): boolean {
  if (founding === undefined) return true;
  return (
    founding.formed !== undefined && founding.adopting === undefined && index.tail === ZXID_NONE
  );
}

export function receiveJoin(turn: LogSyncTurn, from: ServerId, sender: PeerSender): void {
  const { state } = turn;
  const { role, membership } = state;
  const { settled } = membership;
  if (role.kind !== "leading" || !role.active || settled === undefined) return;
  const { identity } = sender;
  if (identityOf(settled, from) === identity) return;
  const reason = reasonAgainst(turn, role, from);
  if (reason !== undefined) {
    sendTo(turn, from, { kind: "joinAnswer", identity, reason });
    logOnce(turn, role, { from, identity, reason });
  } else if (sender.ensembleId === undefined) {
    log(turn, "guestAdmitted", { node: from, folder: identity });
    sendTo(turn, from, { kind: "joinAnswer", identity, configuration: settled });
  } else if (hasCaughtUp(state, role, from, identity) && membership.logged.length === 0) {
    log(turn, "numberBound", { node: from, folder: identity });
    logConfiguration(turn, role, { id: from, identity });
  }
}

function reasonAgainst(turn: LogSyncTurn, role: Leading, from: ServerId): string | undefined {
  const { options } = turn.state;
  const { nowMs } = turn;
  if (options.voters.length < VOTERS_MIN) {
    return `an ensemble of ${options.voters.length} cannot replace a node`;
  }
  const quietMs = nowMs - (role.heardMs.get(from) ?? role.sinceMs);
  const { replaceAfterMs = 10_000 } = options;
  if (quietMs >= replaceAfterMs) return undefined;
  return role.heardMs.has(from)
    ? `another process is node ${from}, and was heard ${Math.ceil(quietMs)} ms ago`
    : `node ${from} is replaced when it has not been heard for ${replaceAfterMs} ms`;
}

/** Whether the guest has everything durably that is committed, so that the ensemble does not have to wait for it once it is bound. */
function hasCaughtUp(
  state: LogSyncState,
  { followers }: Leading,
  from: ServerId,
  identity: string,
): boolean {
  const guest = followers.get(from)?.guest;
  return guest?.identity === identity && guest.accepted >= state.delivery.committed;
}

function logOnce(
  turn: LogSyncTurn,
  role: Leading,
  of: { readonly from: ServerId; readonly identity: string; readonly reason: string },
): void {
  const { nowMs } = turn;
  const { from, identity, reason } = of;
  if (nowMs - (role.refusedJoinMs.get(from) ?? Number.NEGATIVE_INFINITY) < LOG_AGAIN_MS) return;
  role.refusedJoinMs.set(from, nowMs);
  log(turn, "replacementRefused", { node: from, folder: identity, reason });
}

export function receiveJoinAnswer(
  turn: LogSyncTurn,
  from: ServerId,
  { identity, configuration, reason }: JoinAnswer,
): void {
  const { state } = turn;
  const { nowMs } = turn;
  const { membership, founding, options } = state;
  // Every process that runs under this number receives the answer, so it names the folder that it is for.
  if (identity !== membership.identity || isBound(state)) return;
  if (reason !== undefined) {
    if (nowMs - membership.refusedMs < LOG_AGAIN_MS) return;
    membership.refusedMs = nowMs;
    log(turn, "joinRefused", { leader: from, reason });
    return;
  }
  if (founding === undefined || configuration === undefined || !mayAsk(state)) return;
  if (configuration.ensembleId !== founding.formed?.configuration.ensembleId) return;
  founding.adopting = configuration;
  const guest = identityOf(configuration, options.server) !== identity;
  turn.effects.push(tell("log", { kind: "storeConfiguration", configuration, guest }));
}
