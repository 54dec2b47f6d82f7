/** Whether a znode's lifetime is over. */
import { isOver } from "../../../protocol/lifetime.ts";
import type { ZnodeId, Znodes } from "./znodes.ts";

/** `unusedMs`: how long a container that never had children stays; 0: for ever. */
export function isDue(znodes: Znodes, id: ZnodeId, timeMs: number, unusedMs: number): boolean {
  const lifetime = znodes.lifetimes.get(id);
  if (lifetime === undefined) return false;
  const numChildren = znodes.numChildren(id);
  const about = { lifetime, numChildren, creates: znodes.creates(id), mtime: znodes.mtime(id) };
  return isOver(about, timeMs, unusedMs);
}
