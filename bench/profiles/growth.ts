/**
 * `npm run bench -- growth`: what becomes of zooid's throughput with more nodes, with more tree lanes, and with a larger tree. Each case
 * has an ensemble of its own.
 */
import { fill } from "../load/zookeeper/fill.ts";
import type { WorkName } from "../load/work.ts";
import type { Point } from "../report/measurement.ts";
import { count } from "../report/table.ts";
import type { Target } from "../targets/target.ts";
import { startZooid } from "../targets/zooid.ts";
import { runCase } from "./load.ts";
import type { ProfileContext } from "./profile.ts";

const NODES = [3, 5, 7];
const LANES = [1, 2, 4];
const ZNODES = [10_000, 100_000, 1_000_000, 10_000_000];
/** Larger trees are measured only if `--znodes` asks for them. */
const ZNODES_MOST = 1_000_000;
const LOADS: readonly { readonly work: WorkName; readonly load: readonly [number, number] }[] = [
  { work: "set", load: [1, 1] },
  { work: "set", load: [30, 64] },
  { work: "get", load: [30, 64] },
];

export async function growth(context: ProfileContext): Promise<void> {
  const { options, signal } = context;
  const { folder, zooidArgs } = options;
  for (const nodes of NODES) {
    await using target = await startZooid({ folder, args: zooidArgs, nodes }, signal);
    await runLoads(context, target, { what: `${nodes} nodes`, axis: "nodes", x: nodes });
  }
  for (const lanes of LANES) {
    const args = [...zooidArgs, `--lanes=${lanes}`];
    await using target = await startZooid({ folder, args }, signal);
    await runLoads(context, target, { what: `${lanes} lanes`, axis: "lanes", x: lanes });
  }
  for (const znodes of ZNODES.filter((each) => each <= (options.znodes ?? ZNODES_MOST))) {
    await using target = await startZooid({ folder, args: zooidArgs }, signal);
    await fill(target.addresses, { znodes, valueBytes: options.valueBytes }, context);
    const what = `${count(znodes)} znodes`;
    await runLoads(context, target, { what, axis: "znodes", x: znodes });
  }
}

type Size = { readonly what: string; readonly axis: string; readonly x: number };

async function runLoads(context: ProfileContext, target: Target, size: Size): Promise<void> {
  const { options, record } = context;
  const { what, axis, x } = size;
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const { work, load } of LOADS) {
      const [connections, outstanding] = load;
      const name = `${what}: ${work} ${connections}x${outstanding}`;
      const point: Point = { plot: `${work} ${connections}x${outstanding}, by ${axis}`, axis, x };
      const measured = await runCase(context, target, {
        profile: "growth",
        round,
        case: {
          ...{ name, work, connections, outstanding, valueBytes: options.valueBytes },
          points: [point],
        },
      });
      const residentMb = Math.max(
        ...(measured.servers ?? []).map(({ residentBytes }) => residentBytes / 2 ** 20),
      );
      record({ ...measured, metrics: { ...measured.metrics, residentMb } });
    }
  }
}
