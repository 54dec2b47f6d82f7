/**
 * Backups and restores that come to a bad end: killed by `kill -9` at a named moment, out of disk, or without the node that they ask. What is
 * left never passes for a backup or for a data folder, the error says what to do, and doing that works.
 */
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { restoreFolder } from "../../cli/backup/folder/restore.ts";
import { FileOutput } from "../../cli/backup/file/output.ts";
import { BackupWriter } from "../../cli/backup/file/writer.ts";
import { openSource } from "../../cli/backup/folder/source.ts";
import { streamPlan } from "../../cli/backup/folder/stream.ts";
import { rebuild, type Rebuilt } from "../../cli/backup/rebuild.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { backupOf } from "../support/backups.ts";
import { Child } from "../support/child.ts";
import { untilAnswer } from "../support/four-letters.ts";
import { compileKillAt, type KillAt } from "../support/kill-at.ts";
import { reservePorts } from "../support/ports.ts";
import { client, create, Replica } from "../support/replica.ts";
import { cut } from "../support/snapshots.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

const MEBIBYTE = 2 ** 20;
const VALUES = 6;

type Context = {
  readonly folder: string;
  /** A whole backup, of six znodes with half a mebibyte each. */
  readonly whole: string;
  /** The data folder of a node, made from it. */
  readonly data: string;
  readonly port: number;
  readonly environment: (at: KillAt) => Readonly<Record<string, string>>;
};

const test = anyTest as TestFn<Context>;

/** Removes whatever was made, the last first. */
const made = new AsyncDisposableStack();

test.before(async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "zooid-backup-faults-"));
  made.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { first: port, release } = await reservePorts();
  made.defer(release);
  const [whole, data] = [join(folder, "whole"), join(folder, "data")];
  const replica = new Replica({ snapshotChunkBytes: MEBIBYTE });
  const session = replica.session();
  const value = new Uint8Array(MEBIBYTE / 2).fill(1);
  for (let index = 0; index < VALUES; index += 1) {
    replica.commit(client(session, create(`/${index}`, { data: value })));
  }
  writeFileSync(whole, await backupOf({ chunks: cut(replica), records: [] }));
  restoreTo(data, await rebuild(whole, { onBytes: () => undefined }));
  const environment = await compileKillAt(folder);
  t.context = { folder, whole, data, port, environment };
});

function restoreTo(data: string, { tree }: Rebuilt): void {
  const owner = { server: 1 as ServerId, members: [1 as ServerId], ensemble: "zooid" };
  restoreFolder(data, owner, { zxid: tree.state.lastApplied, chunks: tree.cut() });
}

test.after.always(() => made.disposeAsync());

type End = { readonly code: number | null; readonly signal: string | null; readonly said: string };

/** How it ends by itself. If it does not, the test's end ends it. */
async function ended(t: ExecutionContext<Context>, child: Child): Promise<End> {
  endWith(t, child);
  await child.exited;
  const { exitCode, signalCode } = child.process;
  return { code: exitCode, signal: signalCode, said: child.output() };
}

/** The process is gone when the test is over. */
function endWith(t: ExecutionContext<Context>, child: Child): void {
  t.teardown(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
}

async function zooid(
  t: ExecutionContext<Context>,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<End> {
  return await ended(
    t,
    new Child({ command: process.execPath, args: [COMMAND_LINE, ...args], env }),
  );
}

async function znodesOf(file: string): Promise<number> {
  const { tree } = await rebuild(file, { onBytes: () => undefined });
  return tree.state.znodes.size;
}

/** Serves, and is ready when it answers. */
async function startNode(t: ExecutionContext<Context>): Promise<Child> {
  const { data, port } = t.context;
  const flags = ["--client-port", String(port), "--client-port-address", "127.0.0.1"];
  const child = new Child({
    command: process.execPath,
    args: [COMMAND_LINE, "serve", "--data-dir", data, ...flags],
  });
  endWith(t, child);
  const serves = (answer: string): boolean => answer.includes("Mode:");
  await untilAnswer({ port }, "srvr", serves, () => child.ended);
  return child;
}

function draftsIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.includes(".partial."));
}

test.serial("a backup of a node that serves may be killed at any moment", async (t) => {
  const { folder, data, port, environment } = t.context;
  const node = await startNode(t);
  const server = { host: "127.0.0.1", port };
  const file = join(folder, "killed");
  const backup = (env: Readonly<Record<string, string>> = {}): Promise<End> =>
    zooid(t, ["backup", data, file, "--server", `127.0.0.1:${port}`], env);
  const middle = { call: "write", path: "killed.partial.", nth: 8 } as const;
  t.is((await backup(environment(middle))).signal, "SIGKILL");
  t.false(existsSync(file));
  const [half = ""] = draftsIn(folder);
  t.true(readFileSync(join(folder, half)).length > MEBIBYTE, "it was killed in the middle");
  const cutShort = { name: "BackupDamaged", message: /it was cut short/ };
  await t.throwsAsync(znodesOf(join(folder, half)), cutShort);
  // Now all is written, and has no name yet.
  t.is((await backup(environment({ call: "link", path: "/killed" }))).signal, "SIGKILL");
  t.false(existsSync(file));
  const left = draftsIn(folder);
  t.is(left.length, 1);
  t.not(left[0], half, "the run after has removed what the first one left");

  const options = { path: data, history: false, unlessLeader: false };
  // What dies between question and answer has closed its connections.
  const dying = createServer((socket) => socket.on("error", () => undefined).destroy());
  t.teardown(() => dying.close());
  dying.listen(0, "127.0.0.1");
  await once(dying, "listening");
  const asked = { host: "127.0.0.1", port: (dying.address() as AddressInfo).port };
  await t.throwsAsync(
    openSource({ ...options, server: asked }, () => undefined),
    {
      name: "SourceRefused",
      message: /is in use by process \d+, .* 127\.0\.0\.1:\d+ was asked \(srvr\), and .+ --server/,
    },
  );
  // The node dies while it is backed up: what it had committed by then is in its folder.
  const source = await openSource({ ...options, server }, () => undefined);
  t.teardown(() => source.folder.close());
  node.kill("SIGKILL");
  await node.exited;
  const output = await FileOutput.create(join(folder, "outlived"));
  const writer = new BackupWriter(output);
  await writer.begin(source.manifest);
  await streamPlan(source.plan, source.folder, writer, () => undefined);
  await writer.end();
  await output.finish();
  t.is(await znodesOf(join(folder, "outlived")), await znodesOf(t.context.whole));

  const again = await backup();
  t.is(again.code, 0, again.said);
  t.deepEqual(draftsIn(folder), []);
  t.is(await znodesOf(file), await znodesOf(t.context.whole));
});

test.serial("a folder whose restore was killed is refused, until it is emptied", async (t) => {
  const { folder, whole, port, environment } = t.context;
  const restored = join(folder, "restored");
  const args = ["restore", whole, "--data-dir", restored];
  // The last moment at which it is no data folder yet.
  const killed = await zooid(
    t,
    args,
    environment({ call: "rename", path: "/restored/zooid.json" }),
  );
  t.is(killed.signal, "SIGKILL");
  const [left, again] = await Promise.all([
    zooid(t, ["serve", "--data-dir", restored, "--client-port", String(port + 1)]),
    zooid(t, args),
  ]);
  t.is(left.code, 1, left.said);
  t.regex(left.said, /did not start: the data folder holds .*, snapshot\.\w+ but no zooid\.json/);
  t.regex(left.said, /a zooid restore has left that did not finish, empty it and restore again/);
  t.is(again.code, 2, again.said);
  t.regex(again.said, /is not empty .* if an earlier restore did not finish, remove what it left/);
  rmSync(restored, { recursive: true });
  const repeated = await zooid(t, args);
  t.is(repeated.code, 0, repeated.said);
});

/**
 * Runs commands on a file system of this many KiB, which ends with them, and then names the files that are left. Whatever ends the first
 * process of their namespace ends all that it has started.
 */
async function onSmallDisk(
  t: ExecutionContext<Context>,
  { folder, kibibytes }: { readonly folder: string; readonly kibibytes: number },
  commands: string,
): Promise<End> {
  const script = `mkdir ${folder} && mount -t tmpfs -o size=${kibibytes}k zooid-test ${folder} || exit 99
    ${commands}
    find ${folder} -type f -printf 'left %P\\n'`;
  const args = ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script];
  return await ended(t, new Child({ command: "unshare", args }));
}

const NODE_ENTRY = `"${process.execPath}" "${COMMAND_LINE}"`;

test.serial("a backup to a disk that becomes full names the file and leaves nothing", async (t) => {
  const { folder, whole } = t.context;
  // That of a node is in use, so this is another one.
  const data = join(folder, "another");
  restoreTo(data, await rebuild(whole, { onBytes: () => undefined }));
  const disk = join(folder, "disk-for-backup");
  const file = join(disk, "backup");
  const commands = `${NODE_ENTRY} backup ${data} ${file}; echo code $?`;
  const { said } = await onSmallDisk(t, { folder: disk, kibibytes: 2048 }, commands);
  t.deepEqual(said.match(/^(?:code|left) .*$/gm), ["code 1"], said);
  t.true(said.includes(`${file} cannot be written: the disk is full. Nothing is left of it`));
});

test.serial(
  "a restore to a disk that becomes full leaves nothing that a node serves",
  async (t) => {
    const { folder, whole, port } = t.context;
    const disk = join(folder, "disk-for-restore");
    const data = join(disk, "data");
    const commands = `${NODE_ENTRY} restore ${whole} --data-dir ${data}; echo code $?
    mount -o remount,size=64m ${disk}
    ${NODE_ENTRY} serve --data-dir ${data} --client-port ${port + 2}; echo code $?`;
    const { said } = await onSmallDisk(t, { folder: disk, kibibytes: 2048 }, commands);
    t.regex(said, /the disk of \S+\/disk-for-restore\/data is full: remove what is in the folder/);
    t.regex(said, /did not start: the data folder holds snapshot\.\w+ but no zooid\.json/);
    const ends = said.match(/^(?:code|left) .*$/gm) ?? [];
    t.regex(ends.join(" "), /^code 1 code 1 left data\/snapshot\.\w+$/, said);
  },
);
