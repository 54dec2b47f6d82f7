/** The process that reads the past for a node: that a question which goes wrong is that question's affair alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { HISTORY_WAITING_MAX } from "../../../server/history/limits.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { PastProcess } from "../../../server/history/past-process.ts";
import type { Asked } from "../../../server/history/questions.ts";
import { PastFolderMaker } from "../../support/past-folder.ts";
import { client, create } from "../../support/replica.ts";

const folder = mkdtempSync(join(tmpdir(), "zooid-past-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const maker = new PastFolderMaker();
maker.commit(client(maker.session(), create("/a")));
for (const [name, bytes] of Object.entries(maker.files)) writeFileSync(join(folder, name), bytes);
const committed: Zxid = maker.replica.lastZxid;

function znode(path: string): Asked {
  return { question: { kind: "znode", zxid: committed, path }, hidesClosed: true };
}

async function codeOf(answer: Promise<unknown>): Promise<unknown> {
  try {
    await answer;
    return "answered";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

test("questions are answered one after the other, and only so many wait", async (t) => {
  const past = new PastProcess({ dataDir: folder });
  const paths = ["/a", "/b", "a", ...Array.from({ length: HISTORY_WAITING_MAX }, () => "/a")];
  const codes = await Promise.all(paths.map((path) => codeOf(past.ask(znode(path), committed))));
  const answered = Array.from({ length: HISTORY_WAITING_MAX - 2 }, () => "answered");
  const busy = ["ZOOID_HISTORY_BUSY", "ZOOID_HISTORY_BUSY"];
  const expected = ["answered", "ZOOID_NO_NODE", "ZOOID_BAD_ARGUMENTS", ...answered, ...busy];
  t.deepEqual(codes, expected);
  const later = past.ask(znode("/a"), (committed - 1) as Zxid);
  t.is(await codeOf(later), "answered", "what is kept of a moment stays true");
  await past.close();
  t.is(await codeOf(past.ask(znode("/a"), committed)), "ZOOID_HISTORY_FAILED");
});

test("who waits too long is told so", async (t) => {
  const past = new PastProcess({ dataDir: folder, waitMsMax: 0 });
  t.is(await codeOf(past.ask(znode("/a"), committed)), "ZOOID_HISTORY_SLOW");
  await past.close();
});

test("a process that is given up ends, and another one is begun for the next question", async (t) => {
  const past = new PastProcess({ dataDir: folder, workMsMax: 1 });
  t.is(await codeOf(past.ask(znode("/a"), committed)), "ZOOID_HISTORY_FAILED");
  t.is(await codeOf(past.ask(znode("/a"), committed)), "ZOOID_HISTORY_FAILED");
  await past.close();
});

test("a process that becomes too large ends before the system ends its node", async (t) => {
  const past = new PastProcess({ dataDir: folder, memoryBytesMax: 1024 * 1024 });
  const error = await t.throwsAsync(past.ask(znode("/a"), committed), { name: "HistoryError" });
  t.regex(error?.message ?? "", /needs more than 1 MB/);
  await past.close();
});

test("there is no folder to read, as of a node whose disk is in memory", async (t) => {
  const past = new PastProcess({ dataDir: join(folder, "none") });
  t.is(await codeOf(past.ask(znode("/a"), committed)), "ZOOID_HISTORY_UNREADABLE");
  await past.close();
});

test("a process that cannot be begun is said to be", async (t) => {
  // An argument of that length is refused by the system (E2BIG), as everything is where there is no memory.
  const past = new PastProcess({ dataDir: "d".repeat(4 * 1024 * 1024) });
  t.is(await codeOf(past.ask(znode("/a"), committed)), "ZOOID_HISTORY_FAILED");
  await past.close();
});
