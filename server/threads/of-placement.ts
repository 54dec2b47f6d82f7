/** Loads the threads that a node has, and not the others: on a main thread with threads beside it nothing of a tree or a gateway runs. */
import type { Placement } from "./choice.ts";
import type { MakeThreads } from "./threads.ts";

export async function threadsOf({ threads }: Placement): Promise<MakeThreads> {
  if (threads === "one") {
    const { OneThread } = await import("./one-thread.ts");
    return (options) => new OneThread(options);
  }
  const { OwnThreads } = await import("./own-threads.ts");
  return (options) => new OwnThreads(options);
}
