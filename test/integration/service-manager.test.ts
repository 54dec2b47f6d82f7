/** A node under systemd, played by a socket that listens as systemd's does: what the node tells it, and when it no longer does. And the unit. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { Child } from "../support/child.ts";
import { startZooid, type ZooidNode } from "../support/zooid.ts";

const LISTENER = fileURLToPath(new URL("../support/notify_socket.py", import.meta.url));
const STANDING = fileURLToPath(new URL("../support/standing-lane.ts", import.meta.url));
const UNIT = new URL("../../ops/systemd/zooid.service", import.meta.url);
/** What `systemd-analyze security` counts: 10 is a service without any protection. */
const EXPOSURE_MAX = 2;
const WATCHDOG_USEC = "600000";
/** The log's thread is the first that a node starts, the first lane's the second. */
const THREADS = ["1", "2"];

/** Waits until the node says once more that a thread does not answer. */
async function silence(node: ZooidNode): Promise<void> {
  await node.line(/ laneSilent /, node.output().split("\n").length);
}

test.serial(
  "systemd is told that a node serves, that it lives while each of its threads answers, and that it stops",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-notify-"));
    const socket = join(folder, "notify");
    const standing = join(folder, "standing");
    const systemd = new Child({ command: "/usr/bin/python3", args: [LISTENER, socket] });
    const said = (text: string): number =>
      systemd.lines.filter((line) => line.split("\t").includes(text)).length;
    try {
      await systemd.line(/^listening$/);
      const node = await startZooid({
        folder,
        nodeArgs: ["--import", STANDING],
        lines: ["zooid.lanes=1"],
        env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC, ZOOID_TEST_STANDING: standing },
      });
      try {
        await systemd.line(/\tREADY=1(?:\t|$)/);
        await systemd.line(/\tSTATUS=leads in epoch 1(?:\t|$)/);
        const ready = systemd.lines.findIndex((line) => line.includes("READY=1"));
        const starts = systemd.lines.findIndex((line) => line.includes("STATUS=starts"));
        t.true(starts >= 0 && starts < ready, systemd.output());
        for (const thread of THREADS) {
          await systemd.line(/\tWATCHDOG=1/, systemd.lines.length);
          await writeFile(standing, thread);
          await silence(node);
          const pings = said("WATCHDOG=1");
          // A live node would have said it each time, too.
          for (let time = 1; time <= 3; time += 1) await silence(node);
          // One may have been on its way.
          t.true(said("WATCHDOG=1") <= pings + 1, `thread ${thread}\n${systemd.output()}`);
          await rm(standing);
        }
        await systemd.line(/\tWATCHDOG=1/, systemd.lines.length);
      } finally {
        await node.stop();
      }
      await systemd.line(/\tSTOPPING=1/);
      t.is(said("READY=1"), 1);
    } finally {
      systemd.kill("SIGTERM");
      await systemd.exited;
      await rm(folder, { recursive: true, force: true });
    }
  },
);

test.serial("systemd understands the unit, and finds it closed", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-unit-"));
  try {
    const text = await readFile(UNIT, "utf8");
    const unit = join(folder, "zooid.service");
    // The command that npm installs is not on this machine.
    t.regex(text, /^ExecStart=zooid serve /m);
    await writeFile(unit, text.replace(/^ExecStart=zooid/m, `ExecStart=${process.execPath}`));
    // A key that it does not know is a warning: it is on stderr, and the code is 0.
    const verified = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
    t.deepEqual([verified.status, verified.stdout + verified.stderr], [0, ""]);
    const args = ["security", "--offline=true", "--no-pager", unit];
    const security = execFileSync("systemd-analyze", args, { encoding: "utf8", stdio: "pipe" });
    const exposure = Number(/exposure level for zooid\.service: ([\d.]+)/.exec(security)?.[1]);
    t.true(exposure <= EXPOSURE_MAX, security);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
