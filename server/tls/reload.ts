/**
 * Looks at the files of keys and certificates every few seconds and reads them again when they have changed. It looks at them by their
 * paths, since whoever renews them may put others in their place, as Kubernetes does with a link to another folder.
 */
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import type { EventDetail, LogLevel } from "../../runtime/effects.ts";
import type { EventName } from "../../protocol/events.ts";

/** What the files hold, or all that is wrong with them. */
export type Loading<Terms, Field = string> =
  | { readonly kind: "loaded"; readonly terms: Terms; readonly warnings: readonly string[] }
  | { readonly kind: "failed"; readonly problems: readonly LoadingProblem<Field>[] };

export type LoadingProblem<Field = string> = {
  readonly field: Field;
  readonly rule: string;
  readonly hint: string;
};

export type ReloadOptions<Terms> = {
  /** Paths. */
  readonly files: readonly string[];
  readonly load: () => Loading<Terms>;
  /** What is shown from now on. */
  readonly onRenewed: (terms: Terms) => void;
  /** Whose certificates they are, for the log: `clients`, `nats`, `admin`. */
  readonly of: string;
  /** Who is shown what could still be used, for the log. */
  readonly kept: string;
  readonly log: (level: LogLevel, event: EventName, detail: EventDetail) => void;
  /** How often the files are looked at. Default 5000. */
  readonly everyMs?: number;
};

const EVERY_MS = 5000;

/** Until the returned function is called. */
export function watchFiles<Terms>(options: ReloadOptions<Terms>): () => void {
  const { files, everyMs = EVERY_MS } = options;
  let shown = stampsOf(files);
  let before = shown;
  const look = async (): Promise<void> => {
    const [known, last, now] = await Promise.all([shown, before, stampsOf(files)]);
    before = Promise.resolve(now);
    // Files that belong together are not written at the same moment: they are read when they have been as they are for a while.
    if (now === known || now !== last) return;
    shown = before;
    renew(options);
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function stampsOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => stampOf(await stat(file).catch(() => undefined)));
  return (await Promise.all(stamps)).join(", ");
}

/** Is the same for as long as the file is not changed. `found` undefined: there is none. */
export function stampOf(found: Stats | undefined): string {
  return found === undefined ? "gone" : `${found.ino} ${found.size} ${found.mtimeMs}`;
}

/** For the log and for errors. */
export function problemsLine(problems: readonly LoadingProblem[]): string {
  return problems.map(({ field, rule }) => `${field} ${rule}`).join("; ");
}

function renew<Terms>({ load, onRenewed, of, kept, log }: ReloadOptions<Terms>): void {
  const loading = load();
  if (loading.kind === "failed") {
    const problems = problemsLine(loading.problems);
    log("error", "certificatesRefused", { of, problems, kept });
    return;
  }
  onRenewed(loading.terms);
  log("info", "certificatesRenewed", { of });
  for (const warning of loading.warnings) log("warn", "warning", { warning });
}
