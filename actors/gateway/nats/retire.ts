/** The native clients of a node that is about to stop: they are told so, and attach to their sessions at other nodes at once. */
import { tell } from "../../inboxes.ts";
import { logEvent } from "../../log-event.ts";
import { emit } from "../../topics.ts";
import { end } from "./output.ts";
import type { Turn } from "./state.ts";

/** What is under way goes on: the clients ask for it again, and writes have numbers by which they are done once. */
export function retire(turn: Turn): void {
  const { state, effects } = turn;
  if (state.isRetiring) return;
  state.isRetiring = true;
  effects.push(emit("retiring", { kind: "retiring" }));
  effects.push(logEvent("retiring", { connections: state.connections.size }));
  for (const connection of state.connections.values()) end(turn, connection, "stopping");
  effects.push(tell("admin", { kind: "clientsGone", gateway: state.name }));
}
