/**
 * Readers in the nodes' own processes: each node has a few change streams, whose changes are checked as those of native clients are.
 * They continue in the next incarnation of the node from where they stopped, and take what they are given at once or later.
 */
import type { ChangesMessage, ReaderItem } from "../../actors/changes/messages.ts";
import type { ClientItem } from "../../protocol/native.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import { observe } from "../../server/wiring.ts";
import type { Truth } from "./checks/truth.ts";
import { ClientStreams, type StreamCounts } from "./client/streams.ts";
import type { NodeClock } from "./node-clock.ts";
import type { Random } from "./random.ts";
import type { SimNode } from "./sim-node.ts";

type NodeReadersOptions = {
  readonly truth: Truth;
  readonly random: Random;
  readonly counts: StreamCounts;
  readonly guard: (check: () => void) => void;
};

const READERS_OF_A_NODE = 2;
/** In one of this many seeds, nodes have readers in their own processes. */
const READERS_SEEDS = 4;
const SLOW_SHARE = 0.3;
const SLOW_MS = { min: 1, max: 400 } as const;

/** Returns the readers of a run; undefined if its seed has none. */
export function readersOf(seed: number, options: NodeReadersOptions): NodeReaders | undefined {
  return seed % READERS_SEEDS === 0 ? new NodeReaders(options) : undefined;
}

export class NodeReaders {
  readonly #options: NodeReadersOptions;
  readonly #streams = new Map<SimNode, ClientStreams>();

  constructor(options: NodeReadersOptions) {
    this.#options = options;
  }

  /** In an incarnation of the node that begins; `system` is that of its main thread. */
  begin(node: SimNode, system: ActorSystem, clock: NodeClock): void {
    const { truth, random, counts, guard } = this.#options;
    const streams =
      this.#streams.get(node) ?? new ClientStreams(node.name, { truth, random, counts });
    this.#streams.set(node, streams);
    const say = (message: ChangesMessage): void => system.tell("changes", message);
    const open = (item: ClientItem): void => {
      if (item.kind !== "openStream") return;
      const { stream: reader, path, recursive, after } = item;
      say({ kind: "openReader", reader, path, recursive, after });
    };
    for (const item of streams.reopen()) open(item);
    while (streams.count < READERS_OF_A_NODE) open(streams.open(truth.latest));
    observe(system, "streamed").subscribe(({ reader, item }) => {
      // A process may go on beside the one that has its number by now, whose readers these are.
      if (node.incarnation?.systems.get("main") !== system) return;
      guard(() => hear(streams, reader, item));
      if (item.kind !== "changes") {
        open(streams.open(truth.latest));
        return;
      }
      const taken = (): void => say({ kind: "taken", reader });
      if (random.chance(SLOW_SHARE)) clock.after(random.between(SLOW_MS), taken);
      else taken();
    });
  }

  /** Every change there is has come to each reader. */
  get complete(): boolean {
    return [...this.#streams.values()].every((streams) => streams.complete);
  }
}

function hear(streams: ClientStreams, stream: number, item: ReaderItem): void {
  if (item.kind === "failed") throw new Error(`a reader was told: ${item.reason}`);
  streams.hear({ ...item, stream });
  // A reader is paced by `taken`, so what it consumed is always granted.
  streams.grant();
}
