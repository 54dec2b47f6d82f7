/** The README is true: what it shows of `npm start` is printed, and its session happens as it is written there. */
import test from "ava";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "../support/child.ts";
import { ZooidEnsemble } from "../support/zooid.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

/** Debian's own, which sees Debian's kazoo. */
const PYTHON = "/usr/bin/python3";
const FIRST_PORT = 2181;
/** Programs of the checkout's package run from its sources, with the Node that came with it. */
const SOURCES = {
  NODE_OPTIONS: "--conditions=source --disable-warning=ExperimentalWarning",
  PATH: `${join(process.execPath, "..")}:${process.env["PATH"] ?? ""}`,
};

let ensemble: ZooidEnsemble | undefined;

test.before(async () => {
  ensemble = await ZooidEnsemble.start();
});

test.after.always(async () => {
  await ensemble?.stop();
});

function running(): ZooidEnsemble {
  if (ensemble === undefined) throw new Error("the ensemble has not started");
  return ensemble;
}

/** The fenced blocks below a heading of the second level. */
async function blocks(heading: string): Promise<readonly string[]> {
  const text = await readFile(join(CHECKOUT, "README.md"), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^```\w*\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
}

/** Process ids, ports and who leads are what they are. */
function layout(text: string): string[] {
  return text
    .trim()
    .split("\n")
    .map((line) =>
      line
        .replace(/pid \d+/, "pid N")
        .replace(/clients: \S*\/?data\/nats-client\.url/, "clients: data/nats-client.url")
        .replace(/127\.0\.0\.1:\d+/, "127.0.0.1:N")
        .replace(/node \d+ leads epoch \d+/, "node N leads epoch N"),
    );
}

test.serial("npm start is the ensemble, and prints the lines that the README shows", async (t) => {
  const manifest: unknown = JSON.parse(await readFile(join(CHECKOUT, "package.json"), "utf8"));
  t.like(manifest, { scripts: { start: "exec node cli/checkout.js ensemble" } });
  const shown = (await blocks("Start")).find((block) => block.includes("ready: node"));
  t.deepEqual(layout(running().output()), layout(shown ?? "the README shows no lines"));
});

test.serial("the README's session gives, line by line, the answers that it shows", async (t) => {
  const shown = (await blocks("A session")).filter((block) => block.includes(">>> ")).join("\n");
  const steps = shown.split("\n").filter((line) => line.startsWith(">>> ")).length;
  t.true(steps > 0, "the README has no session");
  const played = running().nodes.reduce(
    (text, { id, port }) =>
      text.replaceAll(`127.0.0.1:${FIRST_PORT - 1 + id}`, `127.0.0.1:${port}`),
    shown,
  );
  const folder = await mkdtemp(join(tmpdir(), "zooid-readme-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, "session.txt");
  await writeFile(file, played);
  const python = new Child({ command: PYTHON, args: ["-m", "doctest", "-v", file] });
  await python.exited;
  t.true(python.output().includes(`${steps} passed and 0 failed.`), python.output());
});

test.serial("the tutorial's programs do, as they are written there, what it says", async (t) => {
  const text = await readFile(join(CHECKOUT, "docs/client/tutorial.md"), "utf8");
  const folder = await mkdtemp(join(tmpdir(), "zooid-tutorial-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "node_modules"));
  await symlink(CHECKOUT, join(folder, "node_modules/zooid"));
  await mkdir(join(folder, "data"));
  await copyFile(running().clientUrlFile, join(folder, "data/nats-client.url"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const programs = [...text.matchAll(/^[^\n]*`(\w+\.ts)`:\n\n```ts\n(.*?)^```$/gms)];
  t.is(programs.length, 2);
  for (const [, name = "", program = ""] of programs) await writeFile(join(folder, name), program);
  const command = async (line: string): Promise<string> => {
    const child = new Child({ command: "bash", args: ["-c", line], cwd: folder, env: SOURCES });
    await child.exited;
    t.is(child.process.exitCode, 0, child.output());
    return child.output().trim();
  };
  const lines = [...text.matchAll(/^```\n(node .*?)\n```$/gms)].map(([, line = ""]) => line);
  const [hello = "", both = ""] = lines;
  const shown = /^```text\n(.*?)\n```$/ms.exec(text)?.[1];
  t.is(await command(hello), shown ?? "the tutorial shows nothing");
  const said = (await command(both))
    .split("\n")
    .toSorted((a, b) => a.localeCompare(b))
    .join();
  const inTurns = ["ann took 10 of 100,bob took 20 of 90", "ann took 10 of 80,bob took 20 of 100"];
  t.true(inTurns.includes(said), said);
});
