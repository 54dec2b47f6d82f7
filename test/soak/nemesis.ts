/** Does to the servers what the plan says, keeps a log of it, and in the end repairs everything. */
import type { Ensemble } from "./ensemble.ts";
import type { FaultLog, FaultWindow } from "./fault-log.ts";
import { type Fault, type FaultKind, isWrongStart, type WrongStartKind } from "./fault-plan.ts";
import { pause } from "./pause.ts";
import type { WrongStarts } from "./wrong-starts.ts";

export type NemesisOptions = {
  readonly ensemble: Ensemble;
  readonly log: FaultLog;
  readonly plan: Iterator<Fault, never>;
  /** Told when a fault begins and ends. */
  readonly note: (text: string) => void;
  /** Told when what a fault broke does not come back. */
  readonly failed: (text: string) => void;
  readonly wrongStarts: WrongStarts;
};

/** One that is begun, lasts, and is undone. */
type BreakingFault = Fault & { readonly kind: Exclude<FaultKind, WrongStartKind> };

/** A leader that is wanted is waited for so long; then any node serves as well. */
const LEADER_MS_MAX = 3000;
const POLL_MS = 100;

export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #running = new Set<Promise<void>>();
  /** Nodes and nats-servers that a fault has now, so that no two have the same. */
  readonly #busy = new Set<string>();

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** Until the signal; then every fault that is under way ends. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const fault = this.#options.plan.next().value;
      if (!fault.overlaps) await Promise.all(this.#running);
      if (this.#running.size === 0) await pause(fault.restMs, signal);
      if (signal.aborted) break;
      const running: Promise<void> = this.#perform(fault, signal).finally(() => {
        this.#running.delete(running);
      });
      this.#running.add(running);
      if (isWrongStart(fault.kind)) await running;
      // The next one, if it overlaps, comes in the middle of this one.
      await Promise.race([running, pause(fault.lastsMs / 2, signal)]);
    }
    await Promise.all(this.#running);
  }

  async #perform(fault: Fault, signal: AbortSignal): Promise<void> {
    const isNats = fault.kind.startsWith("nats-");
    const targets = await this.#targets(fault);
    const names = targets.map((index) => `${isNats ? "nats-server" : "node"} ${index + 1}`);
    if (names.length === 0 || names.some((name) => this.#busy.has(name))) return;
    for (const name of names) this.#busy.add(name);
    const { log, note } = this.#options;
    const shown = `${fault.kind} of ${names.join(" and ")}${detailOf(fault)}`;
    note(`${shown} for ${Math.round(fault.lastsMs)} ms`);
    const window: FaultWindow = log.begin(fault.kind, isNats ? [] : targets, performance.now());
    try {
      if (isWrongStart(fault.kind)) {
        await this.#options.wrongStarts.perform({ ...fault, kind: fault.kind }, targets, signal);
      } else {
        await this.#breakAndRepair({ ...fault, kind: fault.kind }, targets, signal);
      }
    } catch (error) {
      this.#options.failed(`after ${shown}: ${String(error)}`);
    } finally {
      log.end(window, performance.now());
      for (const name of names) this.#busy.delete(name);
      note(`${shown} is over`);
    }
  }

  async #breakAndRepair(
    fault: BreakingFault,
    targets: readonly number[],
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all(targets.map((index) => this.#strike(fault, index)));
    if (fault.kind === "left-behind") await this.#untilLeftBehind(targets, fault, signal);
    else await pause(fault.lastsMs, signal);
    await Promise.all(targets.map((index) => this.#repair(fault, index)));
  }

  async #targets(fault: Fault): Promise<readonly number[]> {
    const targets: number[] = [];
    for (const victim of fault.victims) {
      if (victim !== "leader") targets.push(victim);
      else targets.push((await this.#leader()) ?? 0);
    }
    return targets;
  }

  async #leader(): Promise<number | undefined> {
    const untilMs = performance.now() + LEADER_MS_MAX;
    while (performance.now() < untilMs) {
      const leader = await this.#options.ensemble.leader();
      if (leader !== undefined) return leader;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return undefined;
  }

  /** Until the others no longer have in their logs what the victim needs: only a snapshot can help it then. */
  async #untilLeftBehind(
    targets: readonly number[],
    { lastsMs }: Fault,
    signal: AbortSignal,
  ): Promise<void> {
    const { ensemble, note } = this.#options;
    const others = ensemble.indexes.filter((index) => !targets.includes(index));
    const before = others.map((index) => ensemble.segments(index).at(-1) ?? "");
    const untilMs = performance.now() + lastsMs;
    while (performance.now() < untilMs && !signal.aborted) {
      // A segment that began after the death is the oldest: all that the victim has is purged.
      const isBehind = others.every((index, at) => {
        return (ensemble.segments(index)[0] ?? "") > (before[at] ?? "");
      });
      if (isBehind) return note("what it needs is purged everywhere");
      await pause(POLL_MS, signal);
    }
  }

  async #strike({ kind, direction }: BreakingFault, index: number): Promise<void> {
    const { ensemble } = this.#options;
    switch (kind) {
      case "kill":
      case "kill-most":
      case "kill-all":
      case "left-behind":
        return ensemble.killNode(index);
      case "pause":
        return ensemble.signalNode(index, "SIGSTOP");
      case "restart":
        return ensemble.stopNode(index);
      case "nats-kill":
        return ensemble.nats.killOne(index);
      case "nats-restart":
        return ensemble.nats.stopOne(index);
      case "nats-pause":
        return ensemble.nats.signal(index, "SIGSTOP");
      case "cut-link":
        return ensemble.setLink(index, "down");
      case "cut-silent":
        return ensemble.setProxies(index, { kind: "silent", direction });
      case "cut-reset":
        return ensemble.setProxies(index, { kind: "reset" });
      case "disk-full":
        return ensemble.fillDisk(index);
      default:
        return kind satisfies never;
    }
  }

  async #repair({ kind }: BreakingFault, index: number): Promise<void> {
    const { ensemble } = this.#options;
    switch (kind) {
      case "kill":
      case "kill-most":
      case "kill-all":
      case "left-behind":
      case "restart":
        return ensemble.startNode(index);
      case "pause":
        return ensemble.signalNode(index, "SIGCONT");
      case "nats-kill":
      case "nats-restart":
        return ensemble.nats.start(index);
      case "nats-pause":
        return ensemble.nats.signal(index, "SIGCONT");
      case "cut-link":
        return ensemble.setLink(index, "up");
      case "cut-silent":
      case "cut-reset":
        return ensemble.setProxies(index, { kind: "open" });
      case "disk-full":
        return ensemble.freeDisk(index);
      default:
        return kind satisfies never;
    }
  }
}

function detailOf({ kind, direction, mistake }: Fault): string {
  if (kind === "cut-silent") return ` (${direction})`;
  return kind === "wrong-start" ? ` (${mistake})` : "";
}
