/**
 * Looks at the files of keys and certificates every few seconds and reads them again when they have changed. It looks at them by their
 * paths, since whoever renews them may put others in their place, as Kubernetes does with a link to another folder.
 */
import { stat } from "node:fs/promises";
import type { LogLevel } from "../../runtime/effects.ts";
import type { EventName } from "../../protocol/events.ts";
import type { TlsTerms } from "../../runtime/connections/tls/terms.ts";
import { loadTerms, type TlsConfig } from "./load-terms.ts";

export type ReloadOptions = {
  readonly config: TlsConfig;
  /** What clients are shown from now on. */
  readonly onRenewed: (terms: TlsTerms) => void;
  readonly log: (level: LogLevel, event: EventName, detail: Record<string, string>) => void;
  readonly wallMs: () => number;
  /** How often the files are looked at. Default 5000. */
  readonly everyMs?: number;
};

const EVERY_MS = 5000;

/** Until the returned function is called. */
export function watchFiles(options: ReloadOptions): () => void {
  const { config, everyMs = EVERY_MS } = options;
  const files = [
    config.tlsKeyStoreFile,
    config.tlsKeyStorePasswordFile,
    config.tlsTrustStoreFile,
    config.tlsTrustStorePasswordFile,
    config.tlsCrlFile,
  ].filter((file) => file !== undefined);
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

/** What is so of a file when it was not changed. */
async function stampsOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    const found = await stat(file).catch(() => undefined);
    return found === undefined ? "gone" : `${found.ino} ${found.size} ${found.mtimeMs}`;
  });
  return (await Promise.all(stamps)).join(", ");
}

function renew({ config, onRenewed, log, wallMs }: ReloadOptions): void {
  const loading = loadTerms(config, wallMs());
  if (loading.kind === "failed") {
    const problems = loading.problems.map(({ field, rule }) => `${field} ${rule}`).join("; ");
    log("error", "certificatesRefused", { problems, kept: "clients are shown the ones before" });
    return;
  }
  onRenewed(loading.terms);
  log("info", "certificatesRenewed", {});
  for (const warning of loading.warnings) log("warn", "warning", { warning });
}
