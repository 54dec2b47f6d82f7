/** The command line of a node, as an operator gives it, rightly or by mistake. */
import { COMMAND_LINE } from "../support/zooid-command.ts";

export type NodeStart = {
  readonly id: number;
  /** Empty: none are named. */
  readonly members: readonly number[];
  readonly ensemble: string;
  readonly natsUrls: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly dataFolder: string;
  /** Words before the command, which run it elsewhere. */
  readonly prefix: readonly string[];
  /** Planted in it. */
  readonly mutant: string | undefined;
};

export const ENSEMBLE_NAME = "soak";

/** Small, so that snapshots are cut all the time, and what is older is purged with every full segment. */
const SNAPSHOT_EVERY_BYTES = 2 * 2 ** 20;

export function nodeCommand(start: NodeStart): readonly string[] {
  const { id, members, mutant } = start;
  return [
    ...start.prefix,
    ...[process.execPath, ...(mutant === undefined ? [] : planting(mutant))],
    ...[COMMAND_LINE, "serve", "--id", String(id)],
    ...(members.length === 0 ? [] : ["--members", members.join(",")]),
    ...["--ensemble", start.ensemble, "--nats", start.natsUrls.join(",")],
    ...["--client-port", String(start.port), "--client-port-address", start.host],
    ...["--data-dir", start.dataFolder, "--tick-time-ms", "1000"],
    ...["--max-client-connections", "0", "--log-level", "debug"],
    ...["--snapshot-every-bytes", String(SNAPSHOT_EVERY_BYTES)],
  ];
}

/** Arguments of a Node that loads its modules with the mistake, those of its lanes too. */
function planting(mutant: string): readonly string[] {
  const url = new URL("./planted.ts", import.meta.url);
  url.searchParams.set("mutant", mutant);
  return ["--import", url.href];
}
