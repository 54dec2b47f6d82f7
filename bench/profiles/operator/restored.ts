/** Ensembles of one large tree: it is filled once, and all are restored from its backup. */
import { join } from "node:path";
import { fill, type FillPlan } from "../../load/zookeeper/fill.ts";
import { count } from "../../report/table.ts";
import type { Target } from "../../targets/target.ts";
import { startZooid } from "../../targets/zooid.ts";
import type { ProfileContext } from "../profile.ts";
import { runTool } from "./tool.ts";

export const ZNODES = 1_000_000;
/** A busy machine may need minutes to read a large tree. */
const READY_MS_MAX = 600_000;
/** No snapshot is cut while something else is measured. */
const NO_SNAPSHOTS = "--snapshot-every-bytes=68719476736";

export type FilledBackup = {
  readonly file: string;
  /** How long it took to make. */
  readonly seconds: number;
};

/** `parent`: a znode that is made besides, with as many children as the tree has znodes. Default: none is. */
export async function backupOfFilled(
  { options, screen, signal }: ProfileContext,
  folder: string,
  parent?: string,
): Promise<FilledBackup> {
  screen.status("starting a node to fill ...");
  const plan = { znodes: options.znodes ?? ZNODES, valueBytes: options.valueBytes };
  await using target = await startZooid({ folder, args: options.zooidArgs, nodes: 1 }, signal);
  const plans: readonly FillPlan[] =
    parent === undefined ? [plan] : [plan, { ...plan, root: parent, isFlat: true }];
  let seconds = 0;
  for (const each of plans) seconds += await fill(target.addresses, each, { screen, signal });
  const filled = `filled ${count(plans.length * plan.znodes)} znodes in ${seconds.toFixed(0)} s`;
  screen.status(`${filled}; backing them up`);
  const file = join(folder, "backup");
  const [data = ""] = target.folders ?? [];
  const [address = { host: "", port: 0 }] = target.addresses;
  const server = `${address.host}:${address.port}`;
  const beganMs = performance.now();
  await runTool(["backup", data, file, "--server", server], signal);
  return { file, seconds: (performance.now() - beganMs) / 1000 };
}

export function startRestored(
  { options: { folder, zooidArgs }, signal }: ProfileContext,
  { nodes, file }: { readonly nodes: number; readonly file: string },
): Promise<Target> {
  const ids = Array.from({ length: nodes }, (_, index) => index + 1);
  const args = ["--admin-port=0", NO_SNAPSHOTS, ...zooidArgs];
  const prepare = async (dataFolder: string): Promise<void> => {
    for (const id of ids) {
      const whose = [`--id=${id}`, `--members=${ids.join(",")}`];
      await runTool(["restore", file, `--data-dir=${join(dataFolder, `${id}`)}`, ...whose], signal);
    }
  };
  return startZooid({ folder, nodes, args, prepare, readyMsMax: READY_MS_MAX }, signal);
}
