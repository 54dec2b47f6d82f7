/** Checks that a leader ends a session only after it was awake for the session's timeout and the session was not touched. */
import type { SessionsMessage } from "../../../actors/sessions/messages.ts";
import type { SessionsState } from "../../../actors/sessions/sessions.ts";
import { decodeBatch } from "../../../protocol/batch.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { Incarnation, SimNode } from "../sim-node.ts";
import { must } from "./violation.ts";

type Reign = {
  readonly incarnation: Incarnation;
  leading: boolean;
  /** When each session was last touched or attached, by the node's clock. */
  readonly heardMs: Map<SessionId, number>;
  /** When the node last checked the deadlines, and the touches that it had received by then. */
  look: { readonly atMs: number; readonly heardMs: ReadonlyMap<SessionId, number> };
};

const SLACK_MS = 1;

export class LeaderTime {
  readonly #reigns = new Map<number, Reign>();

  /** After each step of the sessions actor. */
  saw(node: SimNode, message: SessionsMessage, { leading }: SessionsState): void {
    const { incarnation } = node;
    if (incarnation === undefined) return;
    let reign = this.#reigns.get(node.id);
    if (reign?.incarnation !== incarnation || reign.leading !== leading) {
      // A new leader gives every session its full timeout.
      reign = { incarnation, leading, heardMs: new Map(), look: { atMs: 0, heardMs: new Map() } };
      for (const session of sessionsOf(node)) reign.heardMs.set(session, incarnation.clock.nowMs());
      this.#reigns.set(node.id, reign);
    }
    const nowMs = incarnation.clock.nowMs();
    if (message.kind === "touched") {
      for (const session of message.sessions) reign.heardMs.set(session, nowMs);
    } else if (message.kind === "sessionChanges") {
      for (const { session } of message.attached) reign.heardMs.set(session, nowMs);
    } else if (message.kind === "timer") {
      reign.look = { atMs: nowMs, heardMs: new Map(reign.heardMs) };
    }
  }

  /** Called when the node's sessions actor proposes a batch, which ends sessions. */
  proposes(node: SimNode, payload: Uint8Array): void {
    const clock = node.incarnation?.clock;
    const reign = this.#reigns.get(node.id);
    const state = node.stateOf("sessions") as SessionsState | undefined;
    if (clock === undefined || reign === undefined || state === undefined) return;
    const { tickMs = 0 } = state.options;
    for (const operation of decodeBatch(payload)) {
      if (operation.kind !== "expireSession") continue;
      const { session } = operation;
      const timeoutMs = state.sessions.get(session)?.timeoutMs;
      const heardMs = reign.look.heardMs.get(session);
      if (timeoutMs === undefined || heardMs === undefined) continue;
      const silentMs = reign.look.atMs - heardMs;
      const asleepMs = clock.pauses
        .filter(({ fromMs, toMs }) => fromMs >= heardMs && toMs - fromMs > 2 * tickMs)
        .reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs - tickMs, 0);
      must(silentMs - asleepMs >= timeoutMs - SLACK_MS, "session time", () => {
        const of = `session 0x${session.toString(16)} with a timeout of ${timeoutMs} ms`;
        return `node ${node.id} ends ${of} after ${silentMs.toFixed(0)} ms, of which it stood still for ${asleepMs.toFixed(0)}`;
      });
    }
  }
}

function sessionsOf(node: SimNode): Iterable<SessionId> {
  return (node.stateOf("sessions") as SessionsState | undefined)?.sessions.keys() ?? [];
}
