/**
 * Backups of a real ensemble: from a follower while clients write, verified, put back after a disaster, on one node and on three. What
 * operators do is done here by the command line's own commands.
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { whyNotEmpty } from "../../cli/backup/folder/restore.ts";
import { openSource } from "../../cli/backup/folder/source.ts";
import { rebuild } from "../../cli/backup/rebuild.ts";
import { fourLetters } from "../support/four-letters.ts";
import { until } from "../support/until.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  create,
  exists,
  getChildren,
  getData,
  Mode,
  plainText,
  setData,
} from "../support/zookeeper-client/operations.ts";
import { ZooidProcesses } from "../support/zooid-processes.ts";
import { runZooid as zooid } from "../support/zooid-command.ts";

async function modeOf(port: number): Promise<string | undefined> {
  return /^Mode: (\S+)/m.exec(await fourLetters({ port }, "srvr"))?.[1];
}

/** Writes znodes in order until it is ended; each names the one before, so that a gap is seen. */
async function writeUntil(client: ZkClient, ended: () => boolean): Promise<number> {
  let written = 0;
  for (; !ended(); written += 1) {
    const reply = await client.request(create(`/written/${written}`, String(written)));
    if (reply.code !== 0) throw new Error(`write ${written} failed with ${reply.code}`);
  }
  return written;
}

test.serial(
  "an ensemble is backed up while it is written to, lost, and begun again from the backup",
  async (t) => {
    const nodes = await ZooidProcesses.start(["--snapshot-every-bytes", "65536"]);
    try {
      const modes = await Promise.all(nodes.ids.map((id) => modeOf(nodes.portOf(id))));
      const leader = modes.indexOf("leader") + 1;
      const follower = modes.indexOf("follower") + 1;
      const client = await ZkClient.connect({ port: nodes.portOf(follower), timeoutMs: 6000 });
      const old = client.grant;
      await client.request(create("/written", "x"));
      await client.request(create("/ephemeral", "theirs", { mode: Mode.ephemeral }));
      await client.request(create("/data", Buffer.alloc(100_000, "d")));
      let isWritten = false;
      const writing = writeUntil(client, () => isWritten);

      const file = join(nodes.folderOf(follower, "backup"));
      const server = `127.0.0.1:${nodes.portOf(follower)}`;
      const made = await zooid("backup", nodes.folderOf(follower), file, "--server", server);
      t.is(made.code, 0, made.stderr);
      const ofLeader = await zooid(
        ...[
          "backup",
          nodes.folderOf(leader),
          join(nodes.folderOf(leader, "none")),
          "--unless-leader",
        ],
        ...["--server", `127.0.0.1:${nodes.portOf(leader)}`],
      );
      t.is(ofLeader.code, 3, ofLeader.stderr);
      const options = { path: nodes.folderOf(leader), history: false, unlessLeader: false };
      const closed = { host: "127.0.0.1", port: 1 };
      const refused = openSource({ ...options, server: closed }, () => undefined);
      const message = /in use by process \d+, and only that node knows .* --server/;
      await t.throwsAsync(refused, { name: "SourceRefused", message });
      isWritten = true;
      const written = await writing;
      // The disaster: every folder is lost, but for an old copy of one.
      const lastZxidSeen = client.lastZxidSeen;
      for (const id of nodes.ids) await nodes.kill(id);
      const kept = nodes.folderOf(1, "kept");
      cpSync(nodes.folderOf(1), kept, { recursive: true });
      for (const id of nodes.ids) rmSync(nodes.folderOf(id), { recursive: true });

      // A replica put back from its copy, beside two empty ones, waits and says for whom, and what to do.
      cpSync(kept, nodes.folderOf(1), { recursive: true });
      const waiting = nodes.ids.map((id) =>
        nodes.startOther({ id, members: nodes.ids.join(","), folder: String(id) }),
      );
      const [one, two] = waiting;
      const said = (await one?.line(/ stillNoLeader /)) ?? "";
      t.regex(said, /counting=1 needed=2 otherFolders="2 3"/);
      t.regex(
        said,
        /zooid backup \S+ zooid.backup, then zooid restore zooid.backup for every node/,
      );
      t.regex((await two?.line(/ stillNoLeader /)) ?? "", /ensembleOf=1 .*zooid backup/);
      for (const child of waiting) {
        child.kill("SIGKILL");
        await child.exited;
      }

      // The documented steps, with what is left.
      const left = join(nodes.folderOf(1, "left"));
      const stopped = await zooid("backup", nodes.folderOf(1), left);
      t.is(stopped.code, 0, stopped.stderr);
      for (const id of nodes.ids) {
        const folder = nodes.folderOf(id, `restored-${id}`);
        const flags = ["--id", String(id), "--members", "1,2,3", "--ensemble", "test"];
        const restored = await zooid("restore", left, "--data-dir", folder, ...flags);
        t.is(restored.code, 0, restored.stderr);
        t.regex(restored.stdout, /Restore nodes .* from the same file/);
      }
      await Promise.all(nodes.ids.map((id) => nodes.startNode(id, `restored-${id}`)));
      const port = nodes.portOf(2);
      const again = await ZkClient.connect({
        ...{ port, timeoutMs: 10_000, lastZxidSeen },
        ...{ sessionId: old.sessionId, password: old.password },
      });
      t.is(again.grant.sessionId, 0n, "the former session has expired");
      await again.closed;
      const reader = await ZkClient.connect({ port, timeoutMs: 30_000 });
      const { text } = await reader.request(getChildren("/written"));
      t.is(plainText(text).split(" ").length, written);
      t.is((await reader.request(getData("/data"))).code, 0);
      t.is((await reader.request(exists("/ephemeral"))).code, 0);
      const isGone = async (): Promise<boolean> =>
        (await reader.request(exists("/ephemeral"))).code !== 0;
      await until(isGone, "the session of the time of the backup has expired");
      t.is((await reader.request(setData("/data", "it takes writes"))).code, 0);
      await reader.close();

      // The backup that was made while clients wrote holds a beginning of what was written, without a gap.
      const { tree, manifest } = await rebuild(file, { onBytes: () => undefined });
      const { znodes } = tree.state;
      const parent = znodes.find("/written");
      const count = parent === undefined ? -1 : znodes.numChildren(parent);
      t.true(count >= 0 && count <= written);
      for (let index = 0; index < count; index += 1) {
        t.not(znodes.find(`/written/${index}`), undefined, String(index));
      }
      t.like(manifest, { node: follower, ensemble: "test" });
      t.is(tree.state.sessions.size, 1);
      t.regex(whyNotEmpty(nodes.folderOf(1, "restored-1")) ?? "", /is the data folder of a node/);
    } finally {
      await nodes.stop();
    }
  },
);
