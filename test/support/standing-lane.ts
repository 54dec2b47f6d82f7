/**
 * A module that nodes of a test preload. While the file that `ZOOID_TEST_STANDING` names holds the number of a thread, that thread stands
 * still, as one that waits for a disk that hangs.
 */
import { readFileSync } from "node:fs";
import { isMainThread, threadId } from "node:worker_threads";

const LOOK_EVERY_MS = 20;

function isToStand(): boolean {
  try {
    return readFileSync(process.env["ZOOID_TEST_STANDING"] ?? "", "utf8") === String(threadId);
  } catch {
    return false;
  }
}

if (!isMainThread) {
  const never = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => {
    while (isToStand()) Atomics.wait(never, 0, 0, LOOK_EVERY_MS);
  }, LOOK_EVERY_MS).unref();
}
