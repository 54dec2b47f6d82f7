/** The targets of the options, each started when its turn comes and alone. */
import type { BenchOptions } from "../options.ts";
import { startPeer } from "../targets/start.ts";
import type { Target } from "../targets/target.ts";
import { startZooid } from "../targets/zooid.ts";

export type Starter = {
  readonly name: string;
  readonly start: (signal: AbortSignal) => Promise<Target>;
};

export function startersOf({
  zooid,
  peers,
  folder,
  zooidArgs: args,
}: BenchOptions): readonly Starter[] {
  const own: readonly Starter[] = zooid
    ? [{ name: "zooid", start: (signal) => startZooid({ folder, args }, signal) }]
    : [];
  return [
    ...own,
    ...peers.map((peer) => ({
      name: peer,
      start: (signal: AbortSignal) => startPeer(peer, folder, signal),
    })),
  ];
}
