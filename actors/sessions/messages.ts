/** The sessions actor: which sessions have expired. Only the leader's decides, by proposing expireSession. */
import type { TimerMessage } from "../../runtime/effects.ts";
import type { SessionId } from "../../protocol/ids.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { SessionChanges } from "../tree/messages.ts";

export type SessionsTimer = "tick";

export type SessionsMessage =
  | Leadership
  | SessionChanges
  /** From the heartbeat actor: heard of, here or at a follower. */
  | { readonly kind: "touched"; readonly sessions: readonly SessionId[] }
  | TimerMessage<SessionsTimer>;
