/** `zooid restore`: makes the data folder of a node of a new ensemble from a backup. */
import { loadConfig } from "../../../server/config/load.ts";
import { type NodeConfig, problemsText } from "../../../server/config/node-config.ts";
import { zxidOfText } from "../../../server/skipped-operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { EXIT_FAILED, EXIT_MISUSED, EXIT_OK, messageOf } from "../../command.ts";
import { readingText } from "../../inspect/text.ts";
import { Progress } from "../../progress.ts";
import { FILE } from "../command-words.ts";
import { type Fact, factLines, restoredFacts, stateFacts } from "../facts.ts";
import { BackupDamaged } from "../file/reader.ts";
import { restoreFolder, RestoreRefused, whyNotEmpty } from "../folder/restore.ts";
import { beginNewEnsemble, NoEpochLeft } from "../new-ensemble.ts";
import { OutsideOfBackup, rebuild } from "../rebuild.ts";
import { sizeOfFile, unreadableProblem } from "./input.ts";

/** The folder to be made, and whose it will be. */
type Owned = Pick<NodeConfig, "id" | "members" | "ensemble" | "dataDir">;

/** Reads the settings, or says what is wrong with them. The way to the other members, which a node needs, is of no matter here. */
function ownedBy(flags: ReadonlyMap<string, string>): Owned | string {
  const loaded = loadConfig({ flags, file: flags.get("config"), transport: "memory" });
  return loaded.kind === "valid" ? loaded.config : problemsText(loaded.problems);
}

async function restoreInto(
  file: string,
  owned: Owned,
  toZxid: Zxid | undefined,
  progress: Progress,
): Promise<readonly Fact[]> {
  const size = sizeOfFile(file);
  const onBytes = (bytes: number): void => progress.update(() => readingText(bytes, size));
  const { tree, end } = await rebuild(file, { toZxid, onBytes });
  const { state } = tree;
  const restored = state.lastApplied;
  beginNewEnsemble(state, end.sha256);
  const { id: server, members, ensemble, dataDir } = owned;
  const zxid = state.lastApplied;
  restoreFolder(dataDir, { server, members, ensemble }, { zxid, chunks: tree.cut() });
  return [
    ["folder", dataDir],
    ["node", server],
    ["members", members.join(",")],
    ["ensemble", ensemble],
    ...restoredFacts(restored, zxid),
    ...stateFacts(state),
  ];
}

function isExpected(error: unknown): error is Error {
  return (
    error instanceof BackupDamaged ||
    error instanceof OutsideOfBackup ||
    error instanceof NoEpochLeft ||
    error instanceof RestoreRefused
  );
}

export async function run(
  flags: ReadonlyMap<string, string>,
  operands: ReadonlyMap<string, string>,
): Promise<number> {
  const file = operands.get(FILE) ?? "";
  const problems: string[] = [];
  const zxidText = flags.get("to-zxid");
  const toZxid = zxidText === undefined ? undefined : zxidOfText(zxidText);
  if (zxidText !== undefined && toZxid === undefined) {
    problems.push(`--to-zxid ${zxidText} is no zxid: write it as 0x100000000`);
  }
  const owned = ownedBy(flags);
  const why = typeof owned === "string" ? owned : whyNotEmpty(owned.dataDir);
  if (why !== undefined) problems.push(why);
  for (const problem of problems) console.error(`zooid restore: ${problem}`);
  if (problems.length > 0 || typeof owned === "string") return EXIT_MISUSED;
  const progress = new Progress(process.stderr);
  try {
    const facts = await restoreInto(file, owned, toZxid, progress);
    progress.clear();
    for (const line of factLines(facts, flags.has("json"))) console.log(line);
    if (!flags.has("json")) console.log(nextSteps(owned));
    return EXIT_OK;
  } catch (error) {
    progress.clear();
    const problem = unreadableProblem(file, error);
    if (problem === undefined && !isExpected(error)) throw error;
    console.error(`zooid restore: ${problem?.message ?? messageOf(error)}`);
    return problem?.exitCode ?? EXIT_FAILED;
  }
}

function nextSteps({ members, id }: Owned): string {
  if (members.length === 1) return "Start the node with these settings.";
  const others = members.filter((member) => member !== id).join(", ");
  return `Restore nodes ${others} from the same file, each into an empty folder of its own, then start all of them.`;
}
