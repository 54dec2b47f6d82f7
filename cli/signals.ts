/** What stops a program: Ctrl-C, SIGTERM, a closed terminal, and, of a program that npm runs, the end of npm. */

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Exit code of a program that a signal ended, as shells count. */
const EXIT_BY_SIGNAL = 130;

/** How often a program that npm runs looks whether its parent is still there. */
const PARENT_LOOK_MS = 500;

/** Resolves at the first signal. `atOnce` is called before the process exits at the second. */
export function stopSignal(atOnce: () => void): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        count += 1;
        if (count === 1) {
          resolve();
        } else {
          atOnce();
          process.exit(EXIT_BY_SIGNAL);
        }
      });
    }
    if (isRunByNpm()) onParentGone(resolve);
  });
}

/**
 * Whoever ends npm means what it runs, and a killed npm passes nothing on. A program that a shell or a service manager
 * runs may outlive its parent: `nohup zooid serve &` is one.
 */
function isRunByNpm(): boolean {
  return process.env["npm_lifecycle_event"] !== undefined;
}

/** An orphan gets another parent. */
function onParentGone(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, PARENT_LOOK_MS);
  timer.unref();
}
