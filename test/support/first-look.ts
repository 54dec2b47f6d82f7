/** When the certificates of a server in this process may be replaced, for tests that see the server notice it. */
import { setTimeout as wait } from "node:timers/promises";

const LOOK_EVERY_MS = 1;

/** Waits until nobody in this thread asks for a file: what a watch of files began with when it was made has been seen. */
export async function firstLook(): Promise<void> {
  while (process.getActiveResourcesInfo().includes("FSReqPromise")) await wait(LOOK_EVERY_MS);
}
