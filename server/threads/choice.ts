/**
 * How a node's actors are shared out to threads, chosen by the cores that there are for it. With few cores each further thread costs
 * more than it gives, since a message between threads is a wake-up and a copy: docs/decisions/0020-placement.md has the figures.
 */
import type { NodeConfig } from "../config/node-config.ts";

export type Placement = {
  /** `one`: a single thread does all, and waits for the disk itself. `own`: the log and each lane have threads of their own. */
  readonly threads: "one" | "own";
  /** How many replicas of the tree serve clients, 1 or more. */
  readonly lanes: number;
  /** For people: what it was chosen by. */
  readonly because: string;
};

/** A configuration whose lanes are chosen: `lanes` counts the replicas of the tree, and is 1 where one thread does all. */
export type PlacedConfig = NodeConfig & { readonly lanes: number };

/** From this many cores for each node on, there are so many lanes. */
const LANES_BY_CORES: readonly { readonly cores: number; readonly lanes: number }[] = [
  { cores: 12, lanes: 4 },
  { cores: 6, lanes: 2 },
  { cores: 3, lanes: 1 },
];

/** What a node has around it. */
export type Surroundings = {
  /** Those that this node can count on, a fraction where several nodes share one machine. */
  readonly cores: number;
  /** The process does nothing else: nobody but the node waits when its main thread waits for a disk. */
  readonly ownsProcess: boolean;
};

/** A limit of the lanes' heap needs lanes that have heaps of their own, and a process of others a main thread that does not wait. */
export function placementOf(
  { lanes, laneHeapBytes }: Pick<NodeConfig, "lanes" | "laneHeapBytes">,
  { cores, ownsProcess }: Surroundings,
): Placement {
  if (lanes !== "auto") return placed(lanes, `lanes = ${lanes}`);
  const chosen = LANES_BY_CORES.find((each) => cores >= each.cores)?.lanes ?? 0;
  const share = `${Math.round(cores * 10) / 10} cores for the node`;
  if (chosen === 0 && laneHeapBytes > 0) return placed(1, `${share}, and laneHeapBytes is set`);
  if (chosen === 0 && !ownsProcess) return placed(1, `${share}, and it shares its process`);
  return placed(chosen, share);
}

function placed(lanes: number, because: string): Placement {
  return lanes === 0 ? { threads: "one", lanes: 1, because } : { threads: "own", lanes, because };
}
