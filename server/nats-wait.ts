/** A node that starts before its NATS server waits for it: after a power failure nobody decides what comes up first. */
import { setTimeout as wait } from "node:timers/promises";
import { NatsError } from "../runtime/nats/nats-error.ts";
import type { NatsLog } from "../runtime/nats/link.ts";

const ASK_EVERY_MS = 500;
const SAY_AGAIN_MS = 60_000;

/** Whether no server could be reached, which may change by itself. Any other error, such as a wrong password, is final. */
function isAbsence(error: unknown): boolean {
  return error instanceof NatsError && error.code === "ZOOID_NATS_UNREACHABLE";
}

/** Opens a connection as soon as a server is there. Rejects with an error that waiting does not change, or when `signal` aborts. */
export async function whenNatsIsThere<Opened>(
  open: () => Promise<Opened>,
  log: NatsLog,
  signal: AbortSignal,
): Promise<Opened> {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isAbsence(error) || signal.aborted) throw error;
      if (performance.now() - saidAtMs >= SAY_AGAIN_MS) {
        saidAtMs = performance.now();
        const { message } = error as NatsError;
        log("warn", "waitingForNats", {
          problem: message,
          hint: "this node starts once it is there",
        });
      }
    }
    await wait(ASK_EVERY_MS, undefined, { signal });
  }
}
