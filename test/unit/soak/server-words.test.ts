/** The events in the logs of nodes are counted by name, over all incarnations of all nodes. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { countWords } from "../../soak/server-words.ts";

test("words of the log are counted over all files, and words elsewhere in a line are not", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-words-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const files = ["node-1.log", "node-2.log"].map((name) => join(folder, name));
  const line = (words: string): string => `2026-01-01T00:00:00.000Z info  node=1 ${words}\n`;
  const stored = line("log snapshotStored zxid=0x1 bytes=2");
  await writeFile(files[0] ?? "", `${stored}${stored}${line("log other reason=snapshotStored")}`);
  await writeFile(
    files[1] ?? "",
    `${stored}node 1 pid 2 snapshotStored\n${line("log-sync leading epoch=1")}`,
  );
  const counts = await countWords(files);
  t.is(counts.get("snapshots cut"), 3);
  t.is(counts.get("leaders elected"), 1);
  t.is(counts.get("snapshots installed"), 0);
});
