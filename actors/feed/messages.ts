/** The feed actor publishes committed changes for whoever subscribes to them at NATS. It lives beside the tree of lane 1. */
import type { Leadership } from "../../protocol/replication.ts";
import type { TimerMessage } from "../../runtime/effects.ts";
import type { TreeReply, TreeReset } from "../tree/messages.ts";

export type FeedTimer = "mark";

export type FeedMessage =
  | Leadership
  | Extract<TreeReply, { readonly kind: "changes" | "compacted" }>
  | TreeReset
  | TimerMessage<FeedTimer>;
