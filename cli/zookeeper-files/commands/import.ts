/** `zooid import-zookeeper`: makes a backup of zooid from the snapshots and logs of Apache ZooKeeper. */
import { EXIT_FAILED, EXIT_MISUSED, EXIT_OK, messageOf } from "../../command.ts";
import { FILE, ZOOKEEPER_FOLDER } from "../../backup/command-words.ts";
import { endFacts, type Fact, factLines, manifestFacts, stateFacts } from "../../backup/facts.ts";
import type { Manifest } from "../../backup/file/manifest.ts";
import { FileOutput, OutputError, refuseExisting } from "../../backup/file/output.ts";
import { BackupWriter } from "../../backup/file/writer.ts";
import { readingText } from "../../inspect/text.ts";
import { Progress } from "../../progress.ts";
import { zooidVersion } from "../../../server/version.ts";
import { ZookeeperFileDamaged } from "../entry-source.ts";
import { findFiles, NoZookeeperFiles } from "../folder.ts";
import { type Imported, importFiles, NotImportable } from "../import.ts";

async function readAll(
  folder: string,
  logFolder: string | undefined,
  progress: Progress,
): Promise<Imported> {
  const files = findFiles(folder, logFolder);
  const bytes = [...files.snapshots.slice(0, 1), ...files.logs].map((file) => file.bytes);
  const all = bytes.reduce((sum, each) => sum + each, 0);
  return await importFiles(files, (done) => progress.update(() => readingText(done, all)));
}

async function write({ tree }: Imported, file: string): Promise<readonly Fact[]> {
  const zxid = tree.state.lastApplied;
  const manifest: Manifest = {
    zooid: zooidVersion(),
    origin: "zookeeper",
    madeAt: new Date(),
    ...{ ensemble: undefined, ensembleId: undefined, node: undefined },
    ...{ snapshotZxid: zxid, zxid, skipped: [] },
  };
  const output = await FileOutput.create(file);
  try {
    const writer = new BackupWriter(output);
    await writer.begin(manifest);
    for (const chunk of tree.cut()) await writer.chunk(chunk);
    const end = await writer.end();
    await output.finish();
    return [...manifestFacts(manifest), ...stateFacts(tree.state), ...endFacts(end)];
  } catch (error) {
    await output.abandon();
    throw error;
  }
}

export async function run(
  flags: ReadonlyMap<string, string>,
  operands: ReadonlyMap<string, string>,
): Promise<number> {
  const progress = new Progress(process.stderr);
  try {
    const folder = operands.get(ZOOKEEPER_FOLDER) ?? "";
    refuseExisting(operands.get(FILE) ?? "");
    const imported = await readAll(folder, flags.get("log-dir"), progress);
    const facts = await write(imported, operands.get(FILE) ?? "");
    progress.clear();
    const { snapshot, logs, notices } = imported;
    for (const notice of notices) console.error(`zooid import-zookeeper: note: ${notice}`);
    const read: readonly Fact[] = [
      ["snapshot", snapshot?.path ?? null],
      ["logs", logs.length],
    ];
    for (const line of factLines([...read, ...facts], flags.has("json"))) console.log(line);
    return EXIT_OK;
  } catch (error) {
    progress.clear();
    const isExpected =
      error instanceof ZookeeperFileDamaged ||
      error instanceof NotImportable ||
      error instanceof NoZookeeperFiles ||
      error instanceof OutputError;
    if (!isExpected) throw error;
    console.error(`zooid import-zookeeper: ${messageOf(error)}`);
    return error instanceof NoZookeeperFiles ? EXIT_MISUSED : EXIT_FAILED;
  }
}
