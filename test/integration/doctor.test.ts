/** `zooid doctor` beside a node that runs, and where nothing is as it should be. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { Child } from "../support/child.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { startZooid } from "../support/zooid.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

type Said = {
  readonly status: string;
  readonly findings: readonly {
    readonly check: string;
    readonly status: string;
    readonly measured: string;
  }[];
};
type Diagnosis = { readonly said: Said; readonly exitCode: number | null };

async function diagnose(...args: readonly string[]): Promise<Diagnosis> {
  const child = new Child({
    command: process.execPath,
    args: [COMMAND_LINE, "doctor", "--json", ...args],
  });
  await child.exited;
  const said = JSON.parse(child.lines.at(-1) ?? "") as Said;
  return { said, exitCode: child.process.exitCode };
}

function statuses({ findings }: Said): Readonly<Record<string, string>> {
  return Object.fromEntries(findings.map(({ check, status }) => [check, status]));
}

test.serial(
  "beside a running node its port is its own, NATS answers, and nothing is left behind",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-doctor-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const nats = await startNatsServer();
    t.teardown(() => nats.stop());
    const node = await startZooid({ folder });
    t.teardown(() => node.stop());
    const before = await readdir(join(folder, "data"));
    const { said, exitCode } = await diagnose(join(folder, "zoo.cfg"), "--nats", nats.url);
    const found = statuses(said);
    t.is(found["config"], "ok");
    t.is(found["port clientPort"], "ok");
    const port = said.findings.find(({ check }) => check === "port clientPort");
    t.true(port?.measured.includes(`runs as process ${node.pid}`), port?.measured);
    // How fast this machine is, is another matter: that it was measured is what counts.
    t.regex(
      said.findings.find(({ check }) => check === `nats ${nats.url}`)?.measured ?? "",
      /^p50 .* of 100$/,
    );
    t.is(found[`nats ${nats.url} max_payload`], "ok");
    t.regex(
      said.findings.find(({ check }) => check === "dataDir.fsync")?.measured ?? "",
      /^p50 .* of \d+$/,
    );
    t.is(exitCode, ["ok", "warn", "bad"].indexOf(said.status));
    t.deepEqual((await readdir(join(folder, "data"))).toSorted(), before.toSorted());
  },
);

test.serial(
  "a port of another's, servers that are not there, a folder in memory and wrong settings are bad",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-doctor-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const other = createServer();
    t.teardown(() => other.close());
    const small = await startNatsServer({ config: "max_payload: 65536\nmax_pending: 1048576" });
    t.teardown(() => small.stop());
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const lines = [
      "dataDir=/dev/shm/zooid-doctor-data",
      `clientPort=${port}`,
      "clientPortAddress=127.0.0.1",
    ];
    const config = join(folder, "zoo.cfg");
    await writeFile(config, [...lines, "leaderServes=no", ""].join("\n"));
    const away = "nats://127.0.0.1:9";
    const [conditions, settings] = await Promise.all([
      diagnose(config, "--nats", `${away},${small.url}`),
      diagnose(config, "--tick-time-ms", "0"),
    ]);
    const found = statuses(conditions.said);
    t.deepEqual(
      [
        "config",
        "dataDir.fileSystem",
        "port clientPort",
        `nats ${away}`,
        `nats ${small.url} max_payload`,
      ].map((check) => found[check]),
      ["warn", "bad", "bad", "bad", "warn"],
    );
    t.is(conditions.exitCode, 2);
    t.deepEqual([settings.said.status, settings.exitCode], ["bad", 2]);
    t.true(
      settings.said.findings.some(
        ({ check, status, measured }) =>
          check === "config" && status === "bad" && measured.includes("tickTimeMs"),
      ),
    );
  },
);
