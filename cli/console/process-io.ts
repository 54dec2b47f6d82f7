/** The streams, the environment and the signals of this process, for a command of the console. */
import { stopSignal } from "../signals.ts";
import type { Io } from "./context.ts";

export function processIo(): Io {
  const ended = new AbortController();
  void stopSignal(() => undefined).then(() => ended.abort(new Error("ended by a signal")));
  const { stdin, stdout, stderr, env } = process;
  // Nobody is left to be told where standard error has been closed.
  stderr.on("error", () => undefined);
  return { stdin, stdout, stderr, env, signal: ended.signal };
}
