/** `zooid verify-backup`: reads a whole backup, checks all of it, and builds the tree that it holds. */
import { EXIT_FAILED, EXIT_OK, messageOf } from "../../command.ts";
import { lowerPriority } from "../../../server/offline/low-priority.ts";
import { readingText } from "../../inspect/text.ts";
import { Progress } from "../../progress.ts";
import { FILE } from "../command-words.ts";
import { endFacts, factLines, manifestFacts, stateFacts } from "../facts.ts";
import { BackupDamaged } from "../file/reader.ts";
import { rebuild } from "../rebuild.ts";
import { sizeOfFile, unreadableProblem } from "./input.ts";

export async function run(
  flags: ReadonlyMap<string, string>,
  operands: ReadonlyMap<string, string>,
): Promise<number> {
  const file = operands.get(FILE) ?? "";
  const progress = new Progress(process.stderr);
  lowerPriority();
  try {
    const size = sizeOfFile(file);
    const onBytes = (bytes: number): void => progress.update(() => readingText(bytes, size));
    const { tree, manifest, end } = await rebuild(file, { onBytes });
    progress.clear();
    const facts = [...manifestFacts(manifest), ...stateFacts(tree.state), ...endFacts(end)];
    for (const line of factLines(facts, flags.has("json"))) console.log(line);
    if (!flags.has("json")) console.log("ok");
    return EXIT_OK;
  } catch (error) {
    progress.clear();
    const problem = unreadableProblem(file, error);
    if (problem === undefined && !(error instanceof BackupDamaged)) throw error;
    console.error(`zooid verify-backup: ${problem?.message ?? messageOf(error)}`);
    return problem?.exitCode ?? EXIT_FAILED;
  }
}
