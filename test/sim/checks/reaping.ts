/** A reaper proposes the end of znodes only while it leads, and only what it has asked its tree for since it began to. */
import type { ReaperMessage } from "../../../actors/reaper/messages.ts";
import type { ReaperState } from "../../../actors/reaper/reaper.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { must } from "./violation.ts";

export function checkReaper(
  node: number,
  message: ReaperMessage,
  { leads }: ReaperState,
  effects: readonly Effect[],
): void {
  const proposes = effects.some((effect) => effect.kind === "tell" && effect.to === "log-sync");
  must(!proposes || (leads === true && message.kind === "due"), "lifetimes", () => {
    return `the reaper of node ${node}, which does not lead, proposes over ${message.kind}`;
  });
}
