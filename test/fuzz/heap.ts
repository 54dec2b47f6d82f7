/** Memory that this thread's own JavaScript holds. */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** After a collection: what is still held, buffers included. */
export function heldBytes(): number {
  collect();
  collect();
  const { used_heap_size: used, external_memory: external } = getHeapStatistics();
  return used + external;
}
