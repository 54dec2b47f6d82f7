/** Tells the gateways of the lane, and the sessions actor, which sessions were attached or closed. */
import { emit } from "../topics.ts";
import { sessionChanges } from "./store/sessions.ts";
import type { TreeTurn } from "./state.ts";

/** Must come before whatever is answered from the state with these changes: the answer must not reach a connection that a session has left. */
export function emitSessionChanges({ state, effects }: TreeTurn): void {
  if (state.sessionsTouched.size === 0) return;
  const changes = sessionChanges(state.sessions, state.sessionsTouched);
  state.sessionsTouched.clear();
  if (changes !== undefined) effects.push(emit("sessions", changes));
}
