/**
 * Subscribers that have read elsewhere, at a zxid that the session has not come to. Each begins when the session has: streams rely on it that
 * their subscribers know nothing that is later than what the session has seen.
 */
import type { Subscribe } from "../messages.ts";
import { ask } from "../settling.ts";
import { flushSoon, type Turn } from "../state.ts";

/** Whether the subscriber has to wait. */
export function holdBack(turn: Turn, wish: Subscribe): boolean {
  const { streams, lastZxid } = turn.state;
  if (wish.after <= lastZxid) return false;
  streams.ahead.set(wish.subscription, wish);
  wantSync(turn);
  return true;
}

/** The next flush asks for it. One that is under way may be answered too early for whoever has just come, and is lost with its connection. */
export function wantSync(turn: Turn): void {
  turn.state.streams.wantsSync = true;
  flushSoon(turn);
}

/** The server catches up with its leader, and names the zxid when it answers. */
export function catchUp(turn: Turn): void {
  const { streams } = turn.state;
  if (!streams.wantsSync) return;
  streams.wantsSync = false;
  if (streams.ahead.size === 0) return;
  const operation = { kind: "sync", path: "/" } as const;
  const purpose = { kind: "stream", asked: { kind: "sync" } } as const;
  ask(turn, { kind: "write", operation, withStat: false }, purpose, "last");
}

/** Those that need not wait any more. */
export function caughtUp({ state }: Turn): readonly Subscribe[] {
  const { streams, lastZxid } = state;
  const wishes = [...streams.ahead.values()].filter(({ after }) => after <= lastZxid);
  for (const { subscription } of wishes) streams.ahead.delete(subscription);
  return wishes;
}
