/**
 * Readers in the nodes' own processes: each node has a few change streams, whose changes are checked as those of native clients are.
 * They continue in the next incarnation of the node from where they stopped, and take what they are given at once or later.
 */
import type { ChangesMessage, ReaderItem } from "../../actors/changes/messages.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import { observe } from "../../server/wiring.ts";
import type { Truth } from "./checks/truth.ts";
import { ClientStreams, type StreamCounts, type StreamWish } from "./client/streams.ts";
import { must } from "./checks/violation.ts";
import type { NodeClock } from "../../runtime/testing/node-clock.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";
import type { SimNode } from "./sim-node.ts";

type NodeReadersOptions = {
  readonly truth: Truth;
  readonly random: Random;
  readonly counts: StreamCounts;
  readonly guard: (check: () => void) => void;
  /** This share of what readers are given is taken some time later. */
  readonly lateShare: number;
};

const READERS_OF_A_NODE = 2;
const LATE_MS = { min: 1, max: 400 } as const;

/** Returns the readers of a run; undefined if its plan has none. */
export function readersOf(
  { readers }: Plan,
  options: Omit<NodeReadersOptions, "lateShare">,
): NodeReaders | undefined {
  return readers === undefined ? undefined : new NodeReaders({ ...options, ...readers });
}

export class NodeReaders {
  readonly #options: NodeReadersOptions;
  readonly #streams = new Map<SimNode, ClientStreams>();

  constructor(options: NodeReadersOptions) {
    this.#options = options;
  }

  /** In an incarnation of the node that begins; `system` is that of its main thread. */
  begin(node: SimNode, system: ActorSystem, clock: NodeClock): void {
    const { truth, random, counts, guard, lateShare } = this.#options;
    const streams =
      this.#streams.get(node) ?? new ClientStreams(node.name, { truth, random, counts });
    this.#streams.set(node, streams);
    const say = (message: ChangesMessage): void => system.tell("changes", message);
    const open = ({ stream: reader, path, recursive, after }: StreamWish): void => {
      say({ kind: "openReader", reader, path, recursive, after });
    };
    for (const wish of streams.standing()) open(wish);
    while (streams.count < READERS_OF_A_NODE) open(streams.open(truth.latest));
    let failures = 0;
    system.inspection$.subscribe((event) => {
      if (event.kind === "failed" && event.actor === "changes") failures += 1;
    });
    observe(system, "streamed").subscribe(({ reader, item }) => {
      // A process may go on beside the one that has its number by now, whose readers these are.
      if (node.incarnation?.threads.systems.get("main") !== system) return;
      if (item.kind === "failed") {
        must(failures > 0, "change streams", () => `a reader was told: ${item.reason}`);
        const again = streams.resume(reader);
        if (again !== undefined) open(again);
        return;
      }
      guard(() => hear(streams, reader, item));
      if (item.kind === "compacted") {
        say({ kind: "closeReader", reader });
        open(streams.open(truth.latest));
        return;
      }
      const taken = (): void => say({ kind: "taken", reader });
      if (random.chance(lateShare)) clock.after(random.between(LATE_MS), taken);
      else taken();
    });
  }

  /** Every change up to this zxid has come to each reader. */
  hasHeard(zxid: Zxid): boolean {
    return [...this.#streams.values()].every((streams) => streams.hasHeard(zxid));
  }

  /** Every change there is has come to each reader. */
  get complete(): boolean {
    return [...this.#streams.values()].every((streams) => streams.complete);
  }
}

function hear(
  streams: ClientStreams,
  stream: number,
  item: Exclude<ReaderItem, { readonly kind: "failed" }>,
): void {
  if (item.kind === "changes") streams.changes(stream, item);
  else streams.compacted(stream, item.oldest);
}
