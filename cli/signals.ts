/** The signals that stop a program: Ctrl-C, SIGTERM, a closed terminal; for a program that npm runs, also the end of npm. */

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The exit code that shells use for a program that Ctrl-C ended. */
const EXIT_BY_SIGNAL = 130;

/** How often a program that npm runs checks whether its parent is still there. */
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
 * A user who ends npm means to end the program that npm runs, but a killed npm passes no signal on. A program that a shell or a
 * service manager runs may outlive its parent, as `nohup zooid serve &` does, so this holds for npm only.
 */
function isRunByNpm(): boolean {
  return process.env["npm_lifecycle_event"] !== undefined;
}

/** Calls `gone` when the parent has ended: the kernel then gives this process another parent. */
function onParentGone(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, PARENT_LOOK_MS);
  timer.unref();
}
