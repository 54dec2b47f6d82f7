/**
 * The process in which a node has its past read, so that neither the time nor the memory for that is the node's: one request at a time, at a low
 * priority. It ends with its node.
 */
import { writeFileSync } from "node:fs";
import { BadArgumentsError } from "../../protocol/errors.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { lowerPriority } from "../offline/low-priority.ts";
import { ReadOnlyFolder } from "../offline/read-only-folder.ts";
import { readFailed } from "../skipped-operations.ts";
import { PastReader } from "./answers.ts";
import { HistoryError } from "./errors.ts";
import { EXIT_NO_MEMORY, type PastReply, type PastRequest } from "./process-messages.ts";

const OOM_SCORE_MAX = "1000";

/** Where there is no memory left, Linux ends this process and not the node. */
function giveWay(): void {
  lowerPriority();
  try {
    writeFileSync("/proc/self/oom_score_adj", OOM_SCORE_MAX);
  } catch {
    // Another system, or one that does not allow it.
  }
}

const MEMORY_LOOKED_AT_MS = 50;

/** A tree may be larger than what is left: the node shall not be ended for it. */
function watchMemory(bytesMax: number): void {
  const look = (): void => {
    if (process.memoryUsage.rss() > bytesMax) process.exit(EXIT_NO_MEMORY);
  };
  look();
  setInterval(look, MEMORY_LOOKED_AT_MS);
}

const [, , dataDir = "", memoryBytesMax = ""] = process.argv;
let committed: Zxid | undefined;
giveWay();
watchMemory(Number(memoryBytesMax));
const reader = new PastReader({
  open: () => new ReadOnlyFolder(dataDir),
  committed: () => Promise.resolve(committed),
  skips: readFailed(dataDir).skipped,
});

async function replyTo({ asked }: PastRequest): Promise<PastReply> {
  try {
    return { kind: "answer", body: await reader.answer(asked) };
  } catch (error) {
    if (error instanceof HistoryError || error instanceof BadArgumentsError) {
      return { kind: "refused", code: error.code, message: error.message };
    }
    throw error;
  }
}

process.on("message", (request: PastRequest) => {
  committed = request.committed;
  // What fails in another way is a bug, and ends the process, of which the node hears.
  void replyTo(request).then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit());
