/** Ctrl-C, SIGTERM and a closed terminal: the first asks for a clean stop, the second stops at once. */

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Exit code of a program that a signal ended, as shells count. */
const EXIT_BY_SIGNAL = 130;

/** Resolves at the first signal. `atOnce` is called before the process exits at the second. */
export function stopSignal(atOnce: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let count = 0;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        count += 1;
        if (count === 1) {
          resolve(signal);
        } else {
          atOnce();
          process.exit(EXIT_BY_SIGNAL);
        }
      });
    }
  });
}
