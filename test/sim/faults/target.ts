/** What a fault is injected into, and how it goes on later. */
import type { SimClient } from "../client/client.ts";
import type { AnyClient } from "../client/any.ts";
import type { Cluster } from "../cluster.ts";
import type { Random } from "../random.ts";
import type { SimNode } from "../sim-node.ts";

/** Drawn for each fault. */
export type Target = {
  readonly node: SimNode;
  readonly other: SimNode;
  readonly client: SimClient;
  /** A client of any kind. */
  readonly anyone: AnyClient;
  readonly forMs: number;
};

/** False: there was nothing to do. */
export type Inject = (of: Target) => boolean;

export type Injection = {
  readonly cluster: Cluster;
  readonly random: Random;
  /** Not after the faults' phase. */
  readonly later: (afterMs: number, run: () => void) => void;
  readonly say: (text: string) => true;
};
