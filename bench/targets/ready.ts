/** Waits until servers that the bench has started serve. */
import type { ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { BenchError } from "../failure.ts";
import { stderrOf } from "./target.ts";

const READY_TIMEOUT_MS = 60_000;

export type Readiness = {
  /** The name in messages: "ZooKeeper", and of one of them, "a ZooKeeper server". */
  readonly name: string;
  readonly one: string;
  readonly children: readonly ChildProcess[];
  /** The pause between two questions. */
  readonly pollMs: number;
  /** Whether all of them serve; a text says why not. */
  readonly isReady: () => Promise<boolean | string>;
  readonly signal: AbortSignal;
};

/** Throws a `BenchError` if a server ends meanwhile, or after a minute. */
export async function untilReady(of: Readiness): Promise<void> {
  const { name, one, children, pollMs, isReady, signal } = of;
  const errors = children.map(stderrOf);
  let reason = "";
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += pollMs) {
    signal.throwIfAborted();
    const answer = await isReady();
    if (answer === true) return;
    if (answer !== false) reason = `: ${answer}`;
    const ended = children.findIndex((child) => child.exitCode !== null);
    if (ended >= 0) throw new BenchError(`${one} ended at start: ${errors[ended]?.()}`);
    await delay(pollMs);
  }
  throw new BenchError(`${name} was not ready after ${READY_TIMEOUT_MS / 1000} s${reason}`);
}
