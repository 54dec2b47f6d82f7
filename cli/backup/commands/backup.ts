/** `zooid backup`: writes all that a node holds, as it is at one zxid, into one file, while the node serves. */
import { EXIT_FAILED, EXIT_MISUSED, EXIT_OK, messageOf } from "../../command.ts";
import { lowerPriority } from "../../../server/offline/low-priority.ts";
import { whyUnreadable } from "../../inspect/data-folder.ts";
import { readingText } from "../../inspect/text.ts";
import { Progress } from "../../progress.ts";
import { FolderChanged } from "../../../server/offline/read-only-folder.ts";
import { addressOf } from "../ask-node.ts";
import { EXIT_LEADER, FILE, FOLDER, SERVER_DEFAULT } from "../command-words.ts";
import { endFacts, type Fact, factLines, manifestFacts } from "../facts.ts";
import { FileOutput, type Output, OutputError, StreamOutput } from "../file/output.ts";
import { BackupWriter } from "../file/writer.ts";
import {
  NodeLeads,
  openSource,
  type Source,
  type SourceOptions,
  SourceRefused,
} from "../folder/source.ts";
import { streamPlan } from "../folder/stream.ts";

const ATTEMPTS_MAX = 3;

async function writeOnce(
  options: SourceOptions,
  output: Output,
  progress: Progress,
): Promise<{ readonly facts: readonly Fact[]; readonly notices: readonly string[] }> {
  const source: Source = await openSource(options, ({ bytesRead, bytesToRead }) =>
    progress.update(() => readingText(bytesRead, bytesToRead)),
  );
  const { folder, plan, manifest, notices } = source;
  try {
    const writer = new BackupWriter(output);
    await writer.begin(manifest);
    const from = folder.bytesRead;
    await streamPlan(plan, folder, writer, () =>
      progress.update(() => readingText(folder.bytesRead - from, folder.bytesToRead)),
    );
    const end = await writer.end();
    await output.finish();
    return { facts: [...manifestFacts(manifest), ...endFacts(end)], notices };
  } finally {
    folder.close();
  }
}

/** A file is begun again if the folder has changed under it. What was written to a pipe cannot be taken back. */
async function write(
  options: SourceOptions,
  file: string,
  progress: Progress,
): Promise<Awaited<ReturnType<typeof writeOnce>>> {
  for (let attempt = 1; ; attempt += 1) {
    const output = file === "-" ? new StreamOutput(process.stdout) : await FileOutput.create(file);
    try {
      return await writeOnce(options, output, progress);
    } catch (error) {
      await output.abandon();
      const isAgain = error instanceof FolderChanged && file !== "-" && attempt < ATTEMPTS_MAX;
      if (!isAgain) throw error;
    }
  }
}

function isExpected(error: unknown): error is Error {
  return (
    error instanceof SourceRefused ||
    error instanceof OutputError ||
    error instanceof FolderChanged ||
    error instanceof NodeLeads
  );
}

export async function run(
  flags: ReadonlyMap<string, string>,
  operands: ReadonlyMap<string, string>,
): Promise<number> {
  const path = operands.get(FOLDER) ?? "";
  const file = operands.get(FILE) ?? "";
  const server = addressOf(flags.get("server") ?? SERVER_DEFAULT);
  const problems: string[] = [];
  const why = whyUnreadable(path);
  if (why !== undefined) problems.push(why);
  if (server === undefined) {
    problems.push(`--server ${flags.get("server")} is no address: write it as 127.0.0.1:2181`);
  }
  if (file === "-" && process.stdout.isTTY) {
    problems.push("a backup is not written to a terminal: name a file, or pipe it into a program");
  }
  for (const problem of problems) console.error(`zooid backup: ${problem}`);
  if (problems.length > 0 || server === undefined) return EXIT_MISUSED;
  lowerPriority();
  const [history, unlessLeader] = [flags.has("history"), flags.has("unless-leader")];
  const progress = new Progress(process.stderr);
  try {
    const { facts, notices } = await write({ path, server, history, unlessLeader }, file, progress);
    progress.clear();
    for (const notice of notices) console.error(`zooid backup: note: ${notice}`);
    const print = file === "-" ? console.error : console.log;
    for (const line of factLines(facts, flags.has("json"))) print(line);
    return EXIT_OK;
  } catch (error) {
    progress.clear();
    if (!isExpected(error)) throw error;
    console.error(`zooid backup: ${messageOf(error)}`);
    return error instanceof NodeLeads ? EXIT_LEADER : EXIT_FAILED;
  }
}
