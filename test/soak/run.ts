/** One soak: starts the ensemble, loads it, breaks it, repairs it, and checks everything that was seen. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleProcesses } from "../../bench/processes.ts";
import type { Screen } from "../../bench/screen.ts";
import { Ensemble } from "./ensemble.ts";
import { type FaultKind, faultPlan } from "./fault-plan.ts";
import { finalChecks } from "./final-checks.ts";
import { History } from "./history.ts";
import { Load } from "./load.ts";
import { mountProblem } from "../support/small-disk.ts";
import { namespacesProblem } from "./namespaces.ts";
import { Nemesis } from "./nemesis.ts";
import type { SoakOptions } from "./options.ts";
import { pause } from "./pause.ts";
import { randomOf } from "./random.ts";
import { countWords, type ServerWords } from "./server-words.ts";
import { Subscribers } from "./subscribers.ts";
import { progressLine, type Report, reportText } from "./report.ts";
import { WrongStarts } from "./wrong-starts.ts";

const PROGRESS_EVERY_MS = 5000;
const SAMPLE_EVERY_MS = 1000;
/** How many the profile `streams` has. */
const SUBSCRIBERS = 50;
const RESTART_MS = 1000;
/** Load alone, before the first fault: servers that compile as they run are slow until they have. */
const WARMUP_MS = 2000;

type Abilities = {
  readonly namespaces: boolean;
  readonly smallDisks: number;
  readonly faults: readonly FaultKind[];
  readonly notes: readonly string[];
};

/** The number of violations. `signal` ends it early, with everything cleaned up. */
export async function soak(
  options: SoakOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-soak-"));
  const run = new Soak(options, screen, folder);
  try {
    await run.go(signal);
  } finally {
    await run.end();
  }
  return run.history.violations.total;
}

class Soak {
  readonly history: History;
  readonly #options: SoakOptions;
  readonly #screen: Screen;
  readonly #folder: string;
  readonly #startedMs: number = performance.now();
  #ensemble: Ensemble | undefined;
  #load: Load | undefined;
  #subscribers: Subscribers | undefined;
  #stopping = false;
  #residentBytesMax = 0;
  #digests: ReadonlyMap<string, string> = new Map();

  constructor(options: SoakOptions, screen: Screen, folder: string) {
    this.#options = options;
    this.#screen = screen;
    this.#folder = folder;
    this.history = new History(({ rule, text }) => this.#note(`VIOLATION ${rule}: ${text}`, true));
  }

  async go(signal: AbortSignal): Promise<void> {
    const { seed, nodes, clients, seconds } = this.#options;
    const abilities = this.#abilities();
    this.#note(`seed ${seed}, ${nodes} nodes, ${clients} + 1 clients, ${seconds} s`, true);
    for (const note of abilities.notes) this.#note(note, true);
    const ensemble = await Ensemble.start({
      folder: this.#folder,
      nodes,
      namespaces: abilities.namespaces,
      smallDisks: abilities.smallDisks,
      mutant: this.#options.mutant,
      onDeath: (name, how) => this.#died(name, how),
    });
    this.#ensemble = ensemble;
    this.#note("all nodes serve; the load begins", true);
    const random = randomOf(seed);
    const { history } = this;
    this.#load = await Load.start({ ensemble, history, random: random.fork(), clients, seconds });
    const { truth } = this.#load.native;
    const count = this.#options.profile === "streams" ? SUBSCRIBERS : 0;
    if (count > 0) {
      const { urls } = ensemble.nats;
      this.#subscribers = new Subscribers({ urls, history, truth, random: random.fork(), count });
    }
    const watching = this.#watch(ensemble);
    try {
      await pause(WARMUP_MS, signal);
      await this.#break(ensemble, abilities, random.fork(), signal);
      if (signal.aborted) return;
      const note = (text: string): void => this.#note(text, text.includes("subscribers"));
      const [load, subscribers] = [this.#load, this.#subscribers];
      this.#digests = await finalChecks({ ensemble, history, load, subscribers, note, signal });
      if (signal.aborted) return;
    } finally {
      for (const timer of watching) clearInterval(timer);
    }
    const words = await countWords(ensemble.indexes.map((index) => ensemble.logFile(index)));
    this.#note(reportText(this.#report(abilities.notes, words)), true);
  }

  async end(): Promise<void> {
    this.#stopping = true;
    this.#load?.abandon();
    this.#subscribers?.close().catch(() => undefined);
    try {
      await this.#ensemble?.stop();
    } finally {
      const keep = this.#options.keep && this.history.violations.total > 0;
      if (keep) await this.#keep();
      this.#ensemble?.unmount();
      if (!keep) await rm(this.#folder, { recursive: true, force: true });
    }
  }

  async #break(
    ensemble: Ensemble,
    abilities: Abilities,
    random: ReturnType<typeof randomOf>,
    signal: AbortSignal,
  ): Promise<void> {
    const { nodes, pace, seconds } = this.#options;
    const smallDisks = ensemble.indexes.slice(0, abilities.smallDisks);
    const kinds = abilities.faults;
    const nemesis = new Nemesis({
      ensemble,
      log: this.history.faults,
      plan: faultPlan({ random, kinds, nodes, smallDisks, pace }),
      note: (text) => this.#note(text),
      failed: (text) => {
        if (!signal.aborted) this.history.violations.add("convergence", text);
      },
      wrongStarts: new WrongStarts({
        ensemble,
        intruders: this.history.intruders,
        interrupted: signal,
      }),
    });
    const over = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
    await nemesis.run(over);
  }

  #abilities(): Abilities {
    const { isolation, nodes } = this.#options;
    const notes: string[] = [];
    const missing = new Set<FaultKind>();
    const noNamespaces = isolation === "proxy" ? "not asked for" : namespacesProblem();
    if (noNamespaces !== undefined) {
      missing.add("cut-link");
      if (isolation === "namespaces") throw new Error(`no network namespaces: ${noNamespaces}`);
      notes.push(`no network namespaces (${noNamespaces}): nodes are cut off by proxies only`);
    }
    const noMounts = mountProblem(this.#folder);
    if (noMounts !== undefined) {
      missing.add("disk-full");
      notes.push(`no mounts (${noMounts}): no disk is filled`);
    }
    const faults = this.#options.faults.filter((kind) => !missing.has(kind));
    if (faults.length === 0) throw new Error("none of these faults can be done here");
    // The others keep real disks with real syncs.
    const smallDisks = noMounts === undefined ? Math.floor(nodes / 2) + 1 : 0;
    return { namespaces: noNamespaces === undefined, smallDisks, faults, notes };
  }

  /** Progress, memory, disks that grow, and stalls of this very process. */
  #watch(ensemble: Ensemble): readonly NodeJS.Timeout[] {
    let last = { atMs: performance.now(), writes: 0 };
    const progress = setInterval(() => {
      const atMs = performance.now();
      const { writes } = this.history.counts;
      const perSecond = ((writes - last.writes) * 1000) / (atMs - last.atMs);
      last = { atMs, writes };
      const elapsedMs = atMs - this.#startedMs;
      this.#screen.status(progressLine({ history: this.history, elapsedMs, perSecond }));
    }, PROGRESS_EVERY_MS);
    const sample = setInterval(() => {
      for (const { residentBytes } of sampleProcesses(ensemble.pids)) {
        if (residentBytes > this.#residentBytesMax) this.#residentBytesMax = residentBytes;
      }
      ensemble.tendDisks();
    }, SAMPLE_EVERY_MS);
    return [progress, sample, this.history.stalls.start()];
  }

  #died(name: string, how: string): void {
    const ensemble = this.#ensemble;
    if (this.#stopping || ensemble === undefined) return;
    const index = Number(name.replace("node ", "")) - 1;
    const isNode = name.startsWith("node ");
    this.history.violations.add("process-died", `${name}: ${how}`);
    const window = this.history.faults.begin("death", [], performance.now());
    setTimeout(() => {
      if (this.#stopping) return;
      if (isNode && !ensemble.runs(index)) ensemble.launch(index);
      this.history.faults.end(window, performance.now());
    }, RESTART_MS);
  }

  /** To a file, where what happened when can be read beside the servers' own logs; `loud`: also to the screen. */
  #note(text: string, loud = false): void {
    appendFileSync(join(this.#folder, "soak.log"), `${new Date().toISOString()} ${text}\n`);
    if (loud) this.#screen.print(text);
  }

  #report(notes: readonly string[], words: ServerWords): Report {
    const { seed, nodes } = this.#options;
    const elapsedMs = performance.now() - this.#startedMs;
    const { history } = this;
    const native = this.#load?.native;
    const [residentBytesMax, digests] = [this.#residentBytesMax, this.#digests];
    return { seed, nodes, elapsedMs, history, native, residentBytesMax, digests, words, notes };
  }

  async #keep(): Promise<void> {
    const ensemble = this.#ensemble;
    for (const index of ensemble?.indexes ?? []) {
      const from = ensemble?.dataFolder(index) ?? "";
      const to = join(this.#folder, `data-${index + 1}`);
      if (from !== to) await cp(from, to, { recursive: true });
    }
    this.#screen.print(`data folders and logs: ${this.#folder}`);
  }
}
