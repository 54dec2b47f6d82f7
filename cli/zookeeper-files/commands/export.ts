/** `zooid export-zookeeper`: writes what a backup holds as a snapshot from which Apache ZooKeeper starts. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ZOOKEEPER_FOLDER as VERSION_FOLDER } from "../../../actors/log/format/files.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { zxidOfText } from "../../../server/skipped-operations.ts";
import { FILE, ZOOKEEPER_FOLDER } from "../../backup/command-words.ts";
import { sizeOfFile, unreadableProblem } from "../../backup/commands/input.ts";
import { type Fact, factLines, stateFacts } from "../../backup/facts.ts";
import { FileOutput, OutputError } from "../../backup/file/output.ts";
import { BackupDamaged } from "../../backup/file/reader.ts";
import { OutsideOfBackup, rebuild } from "../../backup/rebuild.ts";
import { EXIT_FAILED, EXIT_MISUSED, EXIT_OK, messageOf } from "../../command.ts";
import { readingText } from "../../inspect/text.ts";
import { Progress } from "../../progress.ts";
import { writeSnapshot } from "../write-snapshot.ts";

/** Why nothing is written below the folder; undefined if something can be. */
function whyNotFree(folder: string): string | undefined {
  const inner = join(folder, VERSION_FOLDER);
  if (!existsSync(inner)) return undefined;
  try {
    if (readdirSync(inner).length === 0) return undefined;
  } catch (error) {
    return `${inner} cannot be read: ${messageOf(error)}`;
  }
  return `${inner} is not empty. Nothing is overwritten: name another folder`;
}

async function exportTo(
  file: string,
  folder: string,
  toZxid: Zxid | undefined,
  progress: Progress,
): Promise<readonly Fact[]> {
  const size = sizeOfFile(file);
  const onBytes = (bytes: number): void => progress.update(() => readingText(bytes, size));
  const { tree } = await rebuild(file, { toZxid, onBytes });
  const { state } = tree;
  const inner = join(folder, VERSION_FOLDER);
  mkdirSync(inner, { recursive: true, mode: 0o700 });
  const path = join(inner, `snapshot.${state.lastApplied.toString(16)}`);
  const output = await FileOutput.create(path);
  try {
    const bytes = await writeSnapshot(state, output);
    await output.finish();
    return [["snapshot", path], ["bytes", bytes], ...stateFacts(state)];
  } catch (error) {
    await output.abandon();
    throw error;
  }
}

export async function run(
  flags: ReadonlyMap<string, string>,
  operands: ReadonlyMap<string, string>,
): Promise<number> {
  const file = operands.get(FILE) ?? "";
  const folder = operands.get(ZOOKEEPER_FOLDER) ?? "";
  const text = flags.get("to-zxid");
  const toZxid = text === undefined ? undefined : zxidOfText(text);
  const problems: string[] = [];
  if (text !== undefined && toZxid === undefined) {
    problems.push(`--to-zxid ${text} is no zxid: write it as 0x100000000`);
  }
  const why = whyNotFree(folder);
  if (why !== undefined) problems.push(why);
  for (const problem of problems) console.error(`zooid export-zookeeper: ${problem}`);
  if (problems.length > 0) return EXIT_MISUSED;
  const progress = new Progress(process.stderr);
  try {
    const facts = await exportTo(file, folder, toZxid, progress);
    progress.clear();
    for (const line of factLines(facts, flags.has("json"))) console.log(line);
    return EXIT_OK;
  } catch (error) {
    progress.clear();
    const problem = unreadableProblem(file, error);
    const isExpected =
      error instanceof BackupDamaged ||
      error instanceof OutsideOfBackup ||
      error instanceof OutputError;
    if (problem === undefined && !isExpected) throw error;
    console.error(`zooid export-zookeeper: ${problem?.message ?? messageOf(error)}`);
    return problem?.exitCode ?? EXIT_FAILED;
  }
}
