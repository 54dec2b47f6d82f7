/** `zooid inspect`: prints and verifies what is in a data folder, and changes nothing. */
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { Zxid } from "../protocol/zxid.ts";
import { type Command, EXIT_FAILED, EXIT_MISUSED, EXIT_OK } from "./command.ts";
import type { Flag } from "./flags.ts";
import { runningPid, whyUnreadable } from "./inspect/data-folder.ts";
import { drive } from "../server/offline/drive.ts";
import type { Look } from "./inspect/findings.ts";
import { lookAtFolder } from "./inspect/look.ts";
import { jsonOutput, type Output, textOutput } from "./inspect/output.ts";
import { Printer, ReaderGone } from "./printer.ts";
import { readingText } from "./inspect/text.ts";
import { Progress } from "./progress.ts";
import { FolderChanged, ReadOnlyFolder } from "../server/offline/read-only-folder.ts";
import { RecordList, type Selection } from "./inspect/records.ts";
import { settle } from "./inspect/settle.ts";

const FLAGS: readonly Flag[] = [
  { name: "records", placeholder: undefined, summary: "list the records, one a line" },
  {
    name: "operations",
    placeholder: undefined,
    summary: "list the records and below each its operations",
  },
  {
    name: "from",
    placeholder: "ZXID",
    summary: "of the list: from this zxid on, such as 0x100000000",
  },
  { name: "limit", placeholder: "N", summary: "of the list: so many records (default: all)" },
  { name: "json", placeholder: undefined, summary: "one JSON object a line, for programs" },
];

type Wanted = { readonly selection: Selection | undefined; readonly problems: readonly string[] };

function wantedOf(flags: ReadonlyMap<string, string>): Wanted {
  const problems: string[] = [];
  const from = flags.get("from") ?? "0x0";
  const limit = flags.get("limit");
  if (!/^(0x[0-9a-f]{1,14}|\d{1,16})$/i.test(from) || !Number.isSafeInteger(Number(from))) {
    problems.push(`--from ${from} is no zxid: write it as 0x100000000`);
  }
  if (limit !== undefined && !/^[1-9]\d{0,14}$/.test(limit)) {
    problems.push(`--limit ${limit} is no number from 1 on`);
  }
  const operations = flags.has("operations");
  const isList = operations || flags.has("records");
  if (!isList && (flags.has("from") || limit !== undefined)) {
    problems.push("--from and --limit go with --records or --operations");
  }
  const selection = {
    from: Number(from) as Zxid,
    limit: limit === undefined ? Number.POSITIVE_INFINITY : Number(limit),
    operations,
  };
  return { selection: isList ? selection : undefined, problems };
}

async function lookOnce(folder: ReadOnlyFolder): Promise<Look> {
  const progress = new Progress(process.stderr);
  try {
    const look = await drive(lookAtFolder(crc32), folder, async () => {
      progress.update(() => readingText(folder.bytesRead, folder.bytesToRead));
      await setImmediate();
      return true;
    });
    if (look === undefined) throw new Error("a look is never ended early");
    return look;
  } finally {
    progress.clear();
  }
}

/** Prints the records. Returns what the look found, with the problems that reading the operations has added. */
async function printRecords(
  folder: ReadOnlyFolder,
  look: Look,
  list: RecordList,
  printer: Printer,
): Promise<Look> {
  try {
    await drive(list.walk(look, crc32), folder, async () => {
      await printer.print(list.lines.splice(0));
      await setImmediate();
      return !list.isDone;
    });
  } catch (error) {
    if (!(error instanceof FolderChanged)) throw error;
    console.error(`zooid inspect: ${error.message} while its node runs: the list is not whole`);
  }
  await printer.print(list.lines.splice(0));
  return { ...look, problems: [...look.problems, ...list.problems] };
}

async function inspectFolder(
  path: string,
  selection: Selection | undefined,
  output: Output,
): Promise<number> {
  const folder = new ReadOnlyFolder(path);
  const printer = new Printer(process.stdout);
  try {
    const { look, pid } = await settle(
      () => lookOnce(folder),
      () => runningPid(path),
    );
    await printer.print(output.look(path, look, pid));
    const list = selection === undefined ? undefined : new RecordList(selection, output);
    const whole = list === undefined ? look : await printRecords(folder, look, list, printer);
    await printer.print(output.verdict(whole));
    return whole.problems.length === 0 ? EXIT_OK : EXIT_FAILED;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT_FAILED;
    throw error;
  } finally {
    folder.close();
  }
}

async function run(
  flags: ReadonlyMap<string, string>,
  operands: ReadonlyMap<string, string>,
): Promise<number> {
  const { selection, problems } = wantedOf(flags);
  const path = operands.get(OPERAND) ?? "";
  const why = whyUnreadable(path);
  for (const problem of why === undefined ? problems : [...problems, why]) {
    console.error(`zooid inspect: ${problem}`);
  }
  if (problems.length > 0 || why !== undefined) return EXIT_MISUSED;
  return inspectFolder(path, selection, flags.has("json") ? jsonOutput : textOutput);
}

const OPERAND = "data-dir";

export const inspect: Command = {
  description: `Prints and verifies everything in a node's data folder: log, snapshots, promise. It changes nothing and takes
no lock, so the node may run.

  zooid inspect ./data
  zooid inspect ./data --operations --from 0x100000000 --limit 10
  zooid inspect ./data --json

The last line is ok, or what is wrong stands there: file, offset, zxid. Exit codes: 0 ok, 1 something is
wrong, 2 there is nothing to inspect.`,
  operands: [{ name: OPERAND, summary: "a node's data folder" }],
  flags: FLAGS,
  run,
};
