/** The log of a node for programs: JSON lines with events of the one list, no secrets, and a level that changes while the node runs. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { EVENTS } from "../../protocol/events.ts";
import { askAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";
import { Child } from "../support/child.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

const SECRETS = ["c2VjcmV0LWRpZ2VzdA==", "secret-password", "secret-token-0123456789"] as const;

type Line = {
  readonly time: string;
  readonly level: string;
  readonly node: number;
  readonly actor: string;
  readonly event: string;
  readonly detail: object;
};

/** What the child has printed that is not for people. */
function linesOf(child: Child): readonly Line[] {
  return child.lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));
}

test.serial(
  "a node's log has one JSON object on each line, and its level changes by a signal and over HTTP",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-log-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const [digest, password, token] = SECRETS;
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, token);
    const child = new Child({
      command: process.execPath,
      args: [
        ...[COMMAND_LINE, "serve", "--client-port", "0", "--client-port-address", "127.0.0.1"],
        ...["--data-dir", join(folder, "data"), "--log-format", "json", "--log-level", "warn"],
        ...["--admin-port", "0", "--admin-token-file", tokenFile, "--admin-changes", "true"],
        ...["--super-digest", `super:${digest}`, "--sasl-super-password", password],
      ],
    });
    t.teardown(() => child.stop());
    const url = (await child.line(/^node 1 {2}admin /)).split("  ").at(-1) ?? "";
    await child.line(/^node 1 {2}pid /);
    t.deepEqual(
      linesOf(child).filter(({ level }) => level !== "warn" && level !== "error"),
      [],
    );
    const level = async (): Promise<string> => (await askAdmin(url, "/log-level", token)).text;
    t.is(await level(), "warn\n");

    child.kill("SIGUSR2");
    await until(async () => (await level()) === "debug\n", "the signal has made the level debug");
    child.kill("SIGUSR2");
    await until(async () => (await level()) === "warn\n", "the signal has made the level warn");

    t.is((await askAdmin(url, "/log-level?level=debug")).status, 401);
    t.is((await askAdmin(url, "/log-level?level=loud", token)).status, 400);
    t.is((await askAdmin(url, "/log-level?level=debug", token)).text, "debug\n");
    const isLogged = (): boolean => linesOf(child).some(({ event }) => event === "adminChange");
    await until(isLogged, "the change is in the log");

    const lines = linesOf(child);
    t.deepEqual(Object.keys(lines[0] ?? {}), ["time", "level", "node", "actor", "event", "detail"]);
    t.deepEqual(
      lines.filter(({ event }) => !(event in EVENTS)),
      [],
    );
    const text = child.output();
    for (const secret of SECRETS) t.false(text.includes(secret));
  },
);

test.serial("a node that does not start says so in the form of its log", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-log-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "file");
  await writeFile(file, "");
  const child = new Child({
    command: process.execPath,
    args: [COMMAND_LINE, "serve", "--data-dir", file, "--client-port", "0", "--log-format", "json"],
  });
  await child.exited;
  t.is(child.process.exitCode, 1);
  const last = linesOf(child).at(-1);
  t.deepEqual([last?.level, last?.event], ["error", "startFailed"]);
  t.is(linesOf(child).length, child.lines.length);
});
