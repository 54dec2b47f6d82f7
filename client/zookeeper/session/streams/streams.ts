import type { Zxid } from "../../../../protocol/zxid.ts";
import type { WatchEventType } from "../../../../protocol/reads.ts";
import type { Reply } from "../asks.ts";
import type { SessionMessage, StreamEnd, Subscribe } from "../messages.ts";
import type { Turn } from "../state.ts";
import type { StreamAsk } from "./asks.ts";
export function loseStreams(_turn: Turn): void {}
export function resumeStreams(_turn: Turn): void {}
export function endStreams(_turn: Turn, _end: StreamEnd): void {}
export function subscribe(_turn: Turn, _wish: Subscribe): void {}
export function unsubscribe(_turn: Turn, _subscription: number): void {}
export function consumed(
  _turn: Turn,
  _message: Extract<SessionMessage, { readonly kind: "consumed" }>,
): void {}
export function streamAnswered(_turn: Turn, _asked: StreamAsk, _reply: Reply, _zxid: Zxid): void {}
export function watchFired(
  _turn: Turn,
  _event: { readonly type: WatchEventType; readonly path: string; readonly zxid: Zxid },
): void {}
