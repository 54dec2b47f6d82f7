/** The messages of the sessions actor, which proposes the end of sessions that were silent for too long (`sessions.ts`). */
import type { TimerMessage } from "../../runtime/effects.ts";
import type { SessionId } from "../../protocol/ids.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { SessionsQuestion } from "../admin/messages.ts";
import type { SessionChanges } from "../tree/messages.ts";

export type SessionsTimer = "tick";

export type SessionsMessage =
  | Leadership
  | SessionChanges
  /** From a leader's heartbeat actor: sessions whose clients were heard of, by this node or by a follower. */
  | { readonly kind: "touched"; readonly sessions: readonly SessionId[] }
  | SessionsQuestion
  | TimerMessage<SessionsTimer>;
