/** Lets a command that has time run behind the nodes and clients of its host. */
import { readdirSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/**
 * Gives this process a low priority for processors, as `nice` does without a number; on Linux that of its disk
 * operations follows from it, if the scheduler of the disk knows priorities. Linux keeps a priority for each thread, and threads that are begun
 * later take that of the one that begins them. Where it is not allowed the priority stays.
 */
export function lowerPriority(): void {
  for (const thread of threads()) {
    try {
      if (getPriority(thread) < constants.priority.PRIORITY_BELOW_NORMAL) {
        setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
      }
    } catch {
      // The thread has ended, or the system does not allow it.
    }
  }
}

/** Their numbers on Linux; elsewhere the process's own, which stands for all. */
function threads(): readonly number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [process.pid];
  }
}
