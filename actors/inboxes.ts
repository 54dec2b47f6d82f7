/** Which actor takes which messages, so that a `tell` to the wrong actor is a type error. The number in a name is its lane's. */
import type { TellEffect } from "../runtime/effects.ts";
import type { AdminMessage } from "./admin/messages.ts";
import type { ChangesMessage } from "./changes/messages.ts";
import type { ElectionMessage } from "./election/messages.ts";
import type { NatsGatewayMessage, ZooKeeperGatewayMessage } from "./gateway/messages.ts";
import type { FeedMessage } from "./feed/messages.ts";
import type { HeartbeatMessage } from "./heartbeat/messages.ts";
import type { LogMessage } from "./log/messages.ts";
import type { LogSyncMessage } from "./log-sync/messages.ts";
import type { ReaperMessage } from "./reaper/messages.ts";
import type { SessionsMessage } from "./sessions/messages.ts";
import type { SubmitterMessage } from "./submitter/messages.ts";
import type { TreeMessage } from "./tree/messages.ts";

export type Inboxes = {
  admin: AdminMessage;
  changes: ChangesMessage;
  election: ElectionMessage;
  "feed/1": FeedMessage;
  heartbeat: HeartbeatMessage;
  log: LogMessage;
  "log-sync": LogSyncMessage;
  reaper: ReaperMessage;
  sessions: SessionsMessage;
  [submitter: `submitter/${number}`]: SubmitterMessage;
  [tree: `tree/${number}`]: TreeMessage;
  [zookeeper: `zookeeper/${number}`]: ZooKeeperGatewayMessage;
  [nats: `nats/${number}`]: NatsGatewayMessage;
};

/** An effect that puts `message` into the mailbox of the actor `to` of this node, on whichever thread that actor lives. */
export function tell<To extends keyof Inboxes>(to: To, message: Inboxes[To]): TellEffect {
  return { kind: "tell", to, message };
}
