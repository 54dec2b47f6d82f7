/** Processes that go on under a number after another process with an empty folder was started under it. */
import type { LogSyncState } from "../../actors/log-sync/state.ts";
import { type NodeLog, newNodeLog } from "./checks/invariants.ts";
import { must } from "./checks/violation.ts";
import type { SimNetwork } from "./network.ts";
import type { Life, SimNode } from "./sim-node.ts";

type Ghost = {
  readonly node: SimNode;
  readonly life: Life;
  /** Its own: to the checkers it is another node. */
  readonly log: NodeLog;
  readonly place: ReturnType<SimNetwork["leaveBeside"]>;
};

/** Checkers tell nodes by numbers, and these are processes. */
const GHOST_NUMBERS = 1000;

export class Ghosts {
  readonly #all = new Map<Life, Ghost>();
  #made = 0;

  add(node: SimNode, life: Life, place: Ghost["place"]): void {
    this.#made += 1;
    const log = newNodeLog(GHOST_NUMBERS * this.#made + node.id);
    this.#all.set(life, { node, life, log, place });
    place.setApart(true);
  }

  has(life: Life | undefined): boolean {
    return life !== undefined && this.#all.has(life);
  }

  /** From now on they hear the others, and are heard. */
  meet(): void {
    for (const { place } of this.#all.values()) place.setApart(false);
  }

  /** Undefined: it is a node's present life. */
  logOf(life: Life | undefined): NodeLog | undefined {
    return life === undefined ? undefined : this.#all.get(life)?.log;
  }

  /** It stopped by itself: it has heard that it was replaced. */
  stopped(life: Life, reason: string, mayStop: boolean): void {
    must(mayStop || reason.includes("was replaced"), "no crash", () => {
      return `a process that was left beside another stopped: ${reason}`;
    });
    this.end(life);
  }

  end(life: Life): void {
    const ghost = this.#all.get(life);
    if (ghost === undefined) return;
    this.#all.delete(life);
    ghost.place.end();
    life.port.end();
    for (const system of life.systems.values()) system.stop();
    life.clock.end();
  }

  endAll(): void {
    for (const life of [...this.#all.keys()]) this.end(life);
  }

  /** Those whose number is bound to another folder, as far as any node knows. */
  replaced(nodes: readonly SimNode[]): Life[] {
    return [...this.#all.values()]
      .filter(({ node, life }) => {
        const own = life.systems.get("main")?.stateOf("log-sync") as LogSyncState | undefined;
        return nodes.some(({ logSync }) => {
          const bound = logSync?.membership.settled?.voters.find(({ id }) => id === node.id);
          return bound !== undefined && bound.identity !== own?.membership.identity;
        });
      })
      .map(({ life }) => life);
  }
}
