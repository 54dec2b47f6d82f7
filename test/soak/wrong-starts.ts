/**
 * The faults of operators, each from its beginning until all is as it should be again: starts that contradict their folder,
 * processes and whole ensembles beside the right ones, folders that were copied, put back, or lost. What becomes of each
 * process is handed to the checker.
 */
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create } from "../support/zookeeper-client/operations.ts";
import type { Beside, Ensemble } from "./ensemble.ts";
import type { Fault, Mistake, WrongStartKind } from "./fault-plan.ts";
import { changedFiles, digestFolder } from "./folder-digest.ts";
import { type EndedProcess, type Intruders, isRefusedOutside } from "./intruders.ts";
import type { NodeStart } from "./node-command.ts";
import { pause } from "./pause.ts";
import type { ServerProcess } from "./server-process.ts";

export type WrongStartsOptions = {
  readonly ensemble: Ensemble;
  readonly intruders: Intruders;
  /** The whole run is over at once: nothing is waited for or undone any more. */
  readonly interrupted: AbortSignal;
};

export type WrongStartFault = Fault & { readonly kind: WrongStartKind };

/** A process that is to end, or to be refused, has started by then, even where the machine is busy. */
const REFUSED_MS_MAX = 30_000;
/** A folder is filled, or repaired, by then. */
const VOTES_MS_MAX = 60_000;
/** After one of two processes has ended, the other one goes on for so long at least. */
const GOES_ON_MS = 1000;
const POLL_MS = 100;
const PROBE_EVERY_MS = 500;
const HANDSHAKE_MS_MAX = 1000;
/** Numbers that no node of a soak has. */
const OTHER_IDS = [11, 12];

export class WrongStarts {
  readonly #options: WrongStartsOptions;
  #folders = 0;

  constructor(options: WrongStartsOptions) {
    this.#options = options;
  }

  /** `over`: faults are to end; what was begun is undone all the same. */
  async perform(
    fault: WrongStartFault,
    targets: readonly number[],
    over: AbortSignal,
  ): Promise<void> {
    const [index = 0] = targets;
    switch (fault.kind) {
      case "wrong-start":
        return this.#wrongStart(index, fault, over);
      case "twin":
      case "stranger":
        return this.#beside(targets, fault, over);
      case "copied-folder":
        return this.#copiedFolder(index, fault, over);
      case "old-copy":
        return this.#oldCopy(index, fault, over);
      case "replaced":
        return this.#replaced(index, fault, over);
      default:
        return fault.kind satisfies never;
    }
  }

  async #wrongStart(index: number, { mistake, lastsMs }: Fault, over: AbortSignal): Promise<void> {
    const { ensemble, intruders } = this.#options;
    const what = `a start of node ${index + 1} with ${mistake}`;
    await ensemble.killNode(index);
    await pause(lastsMs, over);
    const before = digestFolder(ensemble.dataFolder(index));
    const wrong = ensemble.launchBeside(index, what, this.#mistaken(index, mistake));
    const ended = await this.#untilEnd(wrong.process);
    intruders.refused(what, /the data folder contradicts this start .* in this start/, ended);
    intruders.unchanged(what, changedFiles(before, digestFolder(ensemble.dataFolder(index))));
    await ensemble.startNode(index);
  }

  #mistaken(index: number, mistake: Mistake): Partial<NodeStart> {
    const ids = this.#options.ensemble.indexes.map((each) => each + 1);
    switch (mistake) {
      case "no members":
        return { members: [] };
      case "other members":
        return { members: [index + 1, ...OTHER_IDS] };
      case "other ensemble":
        return { ensemble: "another" };
      case "other id":
        return { id: ids[(index + 1) % ids.length] ?? 0 };
      default:
        return mistake satisfies never;
    }
  }

  /** Processes with the numbers of living nodes and empty folders: one, or a whole ensemble of them. */
  async #beside(
    targets: readonly number[],
    fault: WrongStartFault,
    over: AbortSignal,
  ): Promise<void> {
    const { ensemble, intruders } = this.#options;
    const folders = targets.map(() => this.#newFolder());
    const started = targets.map((index, at) => {
      const name = `${fault.kind} of node ${index + 1}`;
      const beside = ensemble.launchBeside(index, name, { dataFolder: folders[at] ?? "" });
      return { name, beside, probe: new Probe(beside) };
    });
    const atMs = performance.now();
    const isEnough = (): boolean => {
      const stays = !over.aborted && performance.now() < atMs + fault.lastsMs;
      return (
        !stays &&
        started.every(
          ({ beside: { process } }) => process.ended || isRefusedOutside(process.output()),
        )
      );
    };
    while (!isEnough() && performance.now() < atMs + REFUSED_MS_MAX) {
      await Promise.all(started.map(({ probe }) => probe.ask()));
      await this.#pause(PROBE_EVERY_MS);
    }
    await Promise.all(started.map(({ beside }) => beside.process.stop()));
    for (const { name, beside, probe } of started) {
      const { modes, acknowledged } = probe;
      intruders.keptOut(name, { output: beside.process.output(), modes, acknowledged });
    }
    await Promise.all(folders.map((folder) => remove(folder)));
  }

  async #copiedFolder(index: number, { lastsMs }: Fault, over: AbortSignal): Promise<void> {
    const { ensemble, intruders } = this.#options;
    await ensemble.killNode(index);
    const copied = await this.#copyOf(index);
    const original = ensemble.launch(index);
    original.expectEnd(true);
    await ensemble.serves(index);
    await pause(lastsMs, over);
    const name = `copy of node ${index + 1}`;
    const { process: copy } = ensemble.launchBeside(index, name, { dataFolder: copied });
    copy.expectEnd(true);
    await this.#until(() => original.ended || copy.ended, REFUSED_MS_MAX);
    await this.#pause(GOES_ON_MS);
    original.expectEnd(false);
    const isRight = !original.ended;
    const both = { original: endedOf(original), copy: endedOf(copy) };
    intruders.twoOfOne(`node ${index + 1} and a copy of its folder`, both);
    await copy.stop();
    if (!isRight) {
      // The one that went on has what was acknowledged meanwhile.
      if (both.copy.end === undefined) await this.#putBack(index, copied);
      await ensemble.startNode(index);
    }
    await remove(copied);
  }

  async #oldCopy(index: number, { lastsMs }: Fault, over: AbortSignal): Promise<void> {
    const { ensemble, intruders } = this.#options;
    await ensemble.killNode(index);
    const old = await this.#copyOf(index);
    await ensemble.startNode(index);
    await pause(lastsMs, over);
    await ensemble.killNode(index);
    await this.#putBack(index, old);
    const process = ensemble.launch(index);
    process.expectEnd(true);
    intruders.oldCopy(`an old copy of node ${index + 1}`, await this.#untilEnd(process));
    await ensemble.killNode(index);
    await this.#startUntilVoting(index);
    await remove(old);
  }

  async #replaced(index: number, { lastsMs }: Fault, over: AbortSignal): Promise<void> {
    const { ensemble, intruders } = this.#options;
    await ensemble.killNode(index);
    const old = await this.#copyOf(index);
    await empty(ensemble.dataFolder(index));
    await this.#startUntilVoting(index);
    await pause(lastsMs, over);
    const name = `the old process of node ${index + 1}`;
    const { process } = ensemble.launchBeside(index, name, { dataFolder: old });
    process.expectEnd(true);
    const word = new RegExp(`node ${index + 1} was replaced while it was away`);
    intruders.refused(name, word, await this.#untilEnd(process));
    await process.stop();
    await remove(old);
  }

  /** Rejects if the node does not get its vote. */
  async #startUntilVoting(index: number): Promise<void> {
    const { ensemble } = this.#options;
    const process = ensemble.launch(index);
    const votes = (): boolean => /log-sync votesAgain/.test(process.output());
    await this.#until(() => process.ended || votes(), VOTES_MS_MAX);
    if (!votes()) {
      throw new Error(`node ${index + 1} has no vote\n${process.lastLines(10)}`);
    }
    await ensemble.serves(index);
  }

  async #untilEnd(process: ServerProcess): Promise<EndedProcess> {
    process.expectEnd(true);
    await this.#until(() => process.ended, REFUSED_MS_MAX);
    const ended = endedOf(process);
    if (!process.ended) await process.kill();
    return ended;
  }

  async #until(isDone: () => boolean, limitMs: number): Promise<void> {
    const untilMs = performance.now() + limitMs;
    while (!isDone() && performance.now() < untilMs) await this.#pause(POLL_MS);
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, this.#options.interrupted);
    this.#options.interrupted.throwIfAborted();
  }

  async #copyOf(index: number): Promise<string> {
    const folder = this.#newFolder();
    await cp(this.#options.ensemble.dataFolder(index), folder, { recursive: true });
    return folder;
  }

  async #putBack(index: number, copied: string): Promise<void> {
    const folder = this.#options.ensemble.dataFolder(index);
    await empty(folder);
    await cp(copied, folder, { recursive: true });
  }

  #newFolder(): string {
    this.#folders += 1;
    return join(this.#options.ensemble.folder, `beside-${this.#folders}`);
  }
}

/** Asks a process that is to serve nobody whether it does. */
class Probe {
  readonly modes: string[] = [];
  readonly acknowledged: string[] = [];
  readonly #beside: Beside;
  #writes = 0;

  constructor(beside: Beside) {
    this.#beside = beside;
  }

  async ask(): Promise<void> {
    const mode = await this.#beside.mode();
    if (mode !== undefined) this.modes.push(mode);
    await this.#write().catch(() => undefined);
  }

  /** Rejects when it is refused, as it should be. */
  async #write(): Promise<void> {
    const client = await ZkClient.connect({
      ...this.#beside.address,
      connectMsMax: HANDSHAKE_MS_MAX,
    });
    try {
      this.#writes += 1;
      const path = `/written-beside-${this.#beside.process.pid}-${this.#writes}`;
      const reply = await client.request(create(path));
      if (reply.code === 0) this.acknowledged.push(path);
    } finally {
      await client.cut();
    }
  }
}

function endedOf(process: ServerProcess): EndedProcess {
  return { end: process.end, output: process.output() };
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await remove(join(folder, name));
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
