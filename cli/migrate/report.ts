/** What a migration says: lines of text or JSON objects, and on a terminal how far it has come. */
import { counted, grouped } from "../counted.ts";
import type { Context } from "../console/context.ts";
import { Progress } from "../progress.ts";
import type { Difference, DifferenceKind } from "./difference.ts";

/** Differences that are named, one by one. The others are counted. */
const NAMED_MAX = 100;
/** How often a program is given a line about how far the work has come. */
const PROGRESS_JSON_MS = 1_000;

export const DIFFERENCES: Readonly<Record<DifferenceKind, string>> = {
  missing: "is not at the target",
  extra: "is at the target only",
  data: "has other data at the target",
  acl: "has another access control list at the target",
  lifetime: "is a container, or has a TTL, at one side only, or another TTL",
  version: "has a smaller version at the target",
  sequence: "would give sequential children numbers that were given before",
  quota: "has another quota at the target",
  hidden: "cannot be read, or its list not be seen, with these identities",
  tooLarge: "is larger than the target takes",
};

export class Report {
  readonly #context: Context;
  readonly #progress: Progress;
  #progressMs: number = performance.now();
  #named = 0;
  readonly #noted = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(context: Context) {
    this.#context = context;
    this.#progress = new Progress(context.io.stderr);
  }

  /** Lines of text, or the fields as an object with the event's name. */
  event(event: string, fields: object, text: string): Promise<void> {
    this.#progress.clear();
    const { output } = this.#context;
    // In the order in which they happened, whoever waits for them.
    this.#writing = this.#writing.then(async () => {
      if (output.isJson) await output.json({ event, at: new Date().toISOString(), ...fields });
      else await output.lines(text.split("\n").map((line) => output.shown(line)));
    });
    return this.#writing;
  }

  progress(phase: string, fields: object, text: () => string): void {
    this.#progress.update(text);
    const nowMs = performance.now();
    if (!this.#context.output.isJson || nowMs - this.#progressMs < PROGRESS_JSON_MS) return;
    this.#progressMs = nowMs;
    void this.event("progress", { phase, ...fields }, "").catch(() => undefined);
  }

  note(text: string): void {
    this.#progress.clear();
    this.#context.output.note(text);
  }

  /** For what may happen as often as clients connect. */
  noteOnce(text: string): void {
    if (this.#noted.has(text)) return;
    this.#noted.add(text);
    this.note(text);
  }

  async difference({ path, kind }: Difference): Promise<void> {
    this.#named += 1;
    if (this.#named > NAMED_MAX) return;
    await this.event("difference", { path, kind }, `${path} ${DIFFERENCES[kind]}`);
    if (this.#named === NAMED_MAX) this.note(`further differences are counted, not named`);
  }

  clear(): void {
    this.#progress.clear();
  }
}

export function znodesText({
  znodes,
  ephemerals,
}: {
  readonly znodes: number;
  readonly ephemerals: number;
}): string {
  const left = ephemerals === 0 ? "" : `, ${grouped(ephemerals)} ephemeral left to their clients`;
  return `${counted(znodes, "znode")}${left}`;
}

export function hex(zxid: number): string {
  return `0x${zxid.toString(16)}`;
}
