/**
 * Processes that run beside those that have their numbers: replaced processes, copies of a folder, members of a second ensemble.
 */
import type { LogSyncMessage } from "../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../actors/log-sync/state.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type NodeLog, newNodeLog } from "./checks/invariants.ts";
import { must } from "./checks/violation.ts";
import type { Place } from "./network.ts";
import { type Incarnation, type ProcessKind, SimNode } from "./sim-node.ts";

type Kind = Exclude<ProcessKind, "member"> | "replaced";

type Ghost = {
  readonly kind: Kind;
  readonly node: SimNode;
  readonly incarnation: Incarnation;
  /** Its own log: for the checkers it is a node of its own. */
  readonly log: NodeLog;
  readonly place: Place;
  /** It was started on an old copy of its folder, so it stops when the others remember more. */
  readonly isOld: boolean;
};

/** Checkers distinguish nodes by number, so each of these processes gets a number of its own. */
const GHOST_NUMBERS = 1000;

/** The reason with which a process stops whose folder is older than what others remember of it. */
export const OLDER = "older than what the others remember";

const MAY_SAY: Readonly<Record<Kind, readonly string[]>> = {
  replaced: ["was replaced"],
  copy: [OLDER, "was replaced"],
  rival: [],
};

export class Ghosts {
  readonly #all = new Map<Incarnation, Ghost>();
  readonly #nodes: readonly SimNode[];
  readonly #clock: Clock;
  /** For a second ensemble, the nodes that have received something of it. */
  readonly #heard = new Set<SimNode>();
  /** The members of a second ensemble that have decided which ensemble they belong to. */
  readonly #adopting = new Set<SimNode>();
  #made = 0;

  constructor(nodes: readonly SimNode[], clock: Clock) {
    this.#nodes = nodes;
    this.#clock = clock;
  }

  add(node: SimNode, incarnation: Incarnation, of: Pick<Ghost, "kind" | "place">): void {
    // A replaced process continues as it is, so the checkers' knowledge of the node goes with it.
    const log = of.kind === "replaced" ? { ...node.log, node: this.#number(node) } : node.log;
    this.#all.set(incarnation, { ...of, node, incarnation, log, isOld: node.isOld });
    // All members of a second ensemble hear each other.
    of.place.setGroup(of.kind === "rival" ? RIVALS : this.#made);
  }

  /** For a process beside `of`: a disk and a log of its own. */
  newProcess(of: SimNode, kind: Kind & ProcessKind): SimNode {
    const { id, faults } = of;
    return new SimNode(id, newNodeLog(this.#number(of)), faults.latencyMs, kind);
  }

  #number({ id }: SimNode): number {
    this.#made += 1;
    return GHOST_NUMBERS * this.#made + id;
  }

  has(incarnation: Incarnation | undefined): boolean {
    return incarnation !== undefined && this.#all.has(incarnation);
  }

  hasAny(kind: Kind): boolean {
    return [...this.#all.values()].some((ghost) => ghost.kind === kind);
  }

  /** From now on they hear the others, and are heard. */
  meet(kind: Kind): void {
    for (const ghost of this.#all.values()) if (ghost.kind === kind) ghost.place.setGroup(0);
  }

  /** Undefined: it is a node's present incarnation. */
  logOf(incarnation: Incarnation | undefined): NodeLog | undefined {
    return incarnation === undefined ? undefined : this.#all.get(incarnation)?.log;
  }

  /** Notes that the process stopped by itself, because it was told that it was replaced or that it is a copy. */
  stopped(incarnation: Incarnation, reason: string, mayStop: boolean): void {
    const ghost = this.#all.get(incarnation);
    const may =
      ghost === undefined ? [] : [...MAY_SAY[ghost.kind], ...(ghost.isOld ? [OLDER] : [])];
    must(mayStop || may.some((part) => reason.includes(part)), "no crash", () => {
      return `a process that was left beside another stopped: ${reason}`;
    });
    this.end(incarnation);
  }

  /**
   * Called after a step of a process of a second ensemble. That ensemble may be founded only if no member has received anything of the
   * first one, and never mixes with it. A process that the first ensemble admits becomes a replacement, of which there are others.
   */
  sawRival(node: SimNode, actor: string, message: object, state: unknown): void {
    if (actor !== "log-sync") return;
    const { membership, founding } = state as LogSyncState;
    const { settled } = membership;
    const first = this.#nodes.find(({ logSync }) => logSync?.membership.settled !== undefined);
    const firstId = first?.logSync?.membership.settled?.ensembleId;
    if (settled !== undefined && settled.ensembleId === firstId) {
      this.#clock.after(0, () => this.#endOf(node));
    }
    const told = message as LogSyncMessage;
    const greeting =
      told.kind === "received" && told.message.kind === "greeting" ? told.message : undefined;
    if (founding?.adopting === undefined) {
      if (firstId !== undefined && greeting?.configuration?.ensembleId === firstId) {
        this.#heard.add(node);
      }
      return;
    }
    if (this.#adopting.has(node)) return;
    this.#adopting.add(node);
    // A process that learns that it founded another ensemble belongs to that one.
    const founds = greeting !== undefined && greeting.configuration === undefined;
    must(!founds || !this.#heard.has(node), "founding", () => {
      return `a process with the number ${node.id} founds a second ensemble, and has heard of the first`;
    });
  }

  #endOf(node: SimNode): void {
    for (const ghost of [...this.#all.values()])
      if (ghost.node === node) this.end(ghost.incarnation);
  }

  end(incarnation: Incarnation): void {
    const ghost = this.#all.get(incarnation);
    if (ghost === undefined) return;
    this.#all.delete(incarnation);
    // What a copy has sent and has not arrived is lost with it. A member that has just lost its memory might hear that before it hears the
    // original, and of two processes of the same start a member believes the one that it heard first.
    if (ghost.kind === "copy") ghost.place.setGroup(GONE);
    ghost.place.end();
    incarnation.port.end();
    for (const system of incarnation.threads.systems.values()) system.stop();
    incarnation.clock.end();
  }

  /**
   * Called before a member loses its memory of the others. A second ensemble of this name would take its empty folder in. And of two
   * processes of the same start it would believe the one that it hears first, so a copy that it hears before the original would keep it
   * from the ensemble until one of them is started again (docs/operations/failures.md).
   */
  endBeforeLoss(): void {
    this.endAll("rival");
    this.endAll("copy");
  }

  endAll(kind?: Kind): void {
    for (const [incarnation, ghost] of [...this.#all]) {
      if (kind === undefined || ghost.kind === kind) this.end(incarnation);
    }
  }

  /** Those whose number is bound to another folder by the newest configuration that any node knows. */
  replaced(nodes: readonly SimNode[]): Incarnation[] {
    const voters = newestConfiguration(nodes)?.voters ?? [];
    return [...this.#all.values()]
      .filter(({ node, incarnation }) => {
        const own = incarnation.threads.systems.get("main")?.stateOf("log-sync") as
          | LogSyncState
          | undefined;
        // If all folders of its configuration were replaced, it believes nobody any more, and can do no harm.
        const believed = own?.membership.settled?.voters.map(({ identity }) => identity) ?? [];
        const bound = voters.find(({ id }) => id === node.id);
        const isReplaced = bound !== undefined && bound.identity !== own?.membership.identity;
        return isReplaced && voters.some(({ identity }) => believed.includes(identity));
      })
      .map(({ incarnation }) => incarnation);
  }
}

/** A node that a replaced process keeps from its ensemble may know an old one. */
function newestConfiguration(nodes: readonly SimNode[]): Configuration | undefined {
  let newest: Configuration | undefined;
  for (const { logSync } of nodes) {
    const settled = logSync?.membership.settled;
    if (settled !== undefined && settled.version > (newest?.version ?? 0)) newest = settled;
  }
  return newest;
}

/** The group of a second ensemble, as long as it is apart. */
const RIVALS = -1;
/** A group that nobody else is in. */
const GONE = -2;
