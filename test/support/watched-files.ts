/** When the certificates of a server in this process may be replaced, for tests that see the server notice it. */
import { until } from "./until.ts";

/** Waits until nobody in this thread asks for a file: what a watch of files began with when it was made has been seen. */
export function firstLook(): Promise<void> {
  const isLooking = (): boolean => process.getActiveResourcesInfo().includes("FSReqPromise");
  return until(() => !isLooking(), "nobody in this thread asks for a file");
}
