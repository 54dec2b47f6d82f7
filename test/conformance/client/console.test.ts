/** The console with real ensembles: zooid by both protocols, and Apache ZooKeeper. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { filter, firstValueFrom } from "rxjs";
import { type Leadership, type RunningNode, startNode } from "../../../server/start.ts";
import { CertificateFolder } from "../../support/certificates.ts";
import { Child } from "../../support/child.ts";
import { type Ended, PATIENT, run, typing } from "../../support/console.ts";
import { startNatsServer } from "../../support/nats-server.ts";
import { stopAll } from "../../support/running-nodes.ts";
import { startZookeeper } from "../../support/zookeeper-server.ts";
import { consoleCases } from "./console-cases.ts";
import { COMMAND_LINE } from "../../support/zooid-command.ts";

let folder = "";
/** Stops whatever was started, the last first. */
const started = new AsyncDisposableStack();
/** A node that was started with the words that are answered by default. */
let oneOfThree = "";
let overTls = "";
const certificates = new CertificateFolder();
started.defer(() => certificates.remove());
const authority = certificates.authority("authority");
const own = authority.issue("node", "/CN=node");
const user = authority.issue("user", "/O=example/CN=user");
const overNats = consoleCases("zooid over nats://");
const overTcp = consoleCases("zooid over zk://");
const zookeeper = consoleCases("Apache ZooKeeper over zk://");

test.before(async (t) => {
  folder = await mkdtemp(join(tmpdir(), "zooid-console-"));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const starting = startZookeeper();
  // If it has not started there is nothing to stop.
  started.defer(() =>
    starting.then(
      ({ stop }) => stop(),
      () => undefined,
    ),
  );
  const nats = await startNatsServer();
  started.defer(nats.stop);
  const common = { clientPort: 0, clientPortAddress: "127.0.0.1", lanes: 1 };
  const secure = {
    ...{ secureClientPort: 0, secureClientPortAddress: "127.0.0.1" },
    ...{ tlsKeyStoreFile: own.store, tlsTrustStoreFile: authority.certificate },
  };
  // Two ensembles: the cases of both protocols use the same paths. One of three nodes is away.
  const launching = [
    startNode({ ...common, ...secure, dataDir: join(folder, "alone"), fourLetterWords: ["*"] }),
    ...[1, 2, 3].map((id) =>
      startNode({
        ...{ ...common, id, members: [1, 2, 3], natsUrls: [nats.url] },
        dataDir: join(folder, String(id)),
      }),
    ),
  ];
  started.defer(() => stopAll(launching));
  const nodes = await Promise.all(launching);
  await Promise.all(nodes.map(({ ready }) => ready));
  const [alone, first, second, third] = nodes;
  // An ensemble is founded by all of its nodes, and goes on without one, which may have led it.
  await third?.stop();
  await Promise.all([first, second].map((node) => leaderOtherThan(3, node)));
  oneOfThree = `zk://127.0.0.1:${first?.clientPort}`;
  overTls = `zks://127.0.0.1:${alone?.secureClientPort}`;
  const { host, port } = await starting;
  overNats.url = nats.url;
  overTcp.url = `zk://127.0.0.1:${alone?.clientPort}`;
  zookeeper.url = `zk://${host}:${port}`;
  t.pass();
});

async function leaderOtherThan(id: number, node: RunningNode | undefined): Promise<void> {
  if (node === undefined) return;
  const isServing = ({ role, leader }: Leadership): boolean =>
    (role === "leading" || role === "following") && leader !== id;
  await firstValueFrom(node.leadership$.pipe(filter(isServing)));
}

test.after.always("the servers stop", () => started.disposeAsync());

/** A line of bash in which `zooid` is the program. */
function bash(line: string): Promise<Ended> {
  const script = `set -o pipefail; zooid() { "${process.execPath}" "${COMMAND_LINE}" "$@"; }; ${line}`;
  const env = { ...process.env, ...PATIENT, ZOOID_SERVER: overTcp.url };
  return new Promise((resolve) => {
    const child = execFile("bash", ["-c", script], { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

test("in a pipe the program reads and writes bytes, and ends quietly when its reader has gone", async (t) => {
  const made = await bash("printf 'a\\0b' | zooid create /pipe - && zooid get /pipe | od -An -c");
  t.deepEqual(made, { code: 0, stdout: "/pipe\n   a  \\0   b\n", stderr: "" });
  const gone = await bash("zooid export / | true");
  t.is(gone.code, 141);
  t.is(gone.stderr, "");
});

test("Ctrl-C ends a command of the program cleanly", async (t) => {
  const env = { ZOOID_SERVER: overTcp.url };
  const child = new Child({
    ...{ command: process.execPath, env: { ...PATIENT, ...env } },
    args: [COMMAND_LINE, "create", "-e", "/interrupted"],
  });
  await child.line(/^\/interrupted$/);
  child.kill("SIGINT");
  await child.exited;
  t.is(child.process.exitCode, 130);
  t.is(child.lines.length, 2, child.output());
  t.is((await run(["get", "--linearizable", "/interrupted"], { env })).code, 3);
});

test("status asks all servers that the URL names, those that are away too", async (t) => {
  const away = "127.0.0.1:1";
  const servers = [overTcp.url, zookeeper.url.replace("zk://", ""), away].join(",");
  const env = { ZOOID_SERVER: `${servers}/below/a/chroot` };
  const { code, stdout, stderr } = await run(["status", "--json"], { env });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.deepEqual(
    rows.map(({ mode }) => mode),
    ["standalone", "standalone", undefined],
  );
  t.regex(rows[0].version, /-zooid-/);
  t.regex(rows[1].version, /^3\./);
  t.regex(rows[2].because, /ECONNREFUSED/);
  t.is(code, 1);
  t.is(stderr, "2 of 3 servers serve\n");
  const text = await run(["status"], { env: { ZOOID_SERVER: overTcp.url } });
  t.is(text.code, 0);
  t.regex(text.stdout, /^ +- {2}127\.0\.0\.1:\d+ +standalone +0x/m);
});

test("over nats:// status shows all nodes, those that are away too", async (t) => {
  const env = { ZOOID_SERVER: overNats.url };
  const { code, stdout, stderr } = await run(["status", "--json"], { env });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.deepEqual(
    rows.map(({ id }) => id),
    [1, 2, 3],
  );
  const modes = rows.map(({ mode = "away" }) => String(mode)).toSorted();
  t.deepEqual(modes, ["away", "follower", "leader"]);
  t.is(rows[2].because, "nobody hears it there");
  t.deepEqual([code, stderr], [1, "2 of 3 servers serve\n"]);
  const others = { ZOOID_SERVER: overNats.url, ZOOID_ENSEMBLE: "others" };
  const nobody = await run(["status"], { env: others });
  t.is(nobody.code, 6);
  t.regex(nobody.stderr, /no node of the ensemble "others" answers over this NATS server/);
});

test("what a server does not tell is named, with how it is allowed", async (t) => {
  const env = { ZOOID_SERVER: oneOfThree };
  const sessions = await run(["sessions"], { env });
  t.is(sessions.code, 1);
  t.regex(sessions.stderr, /does not answer sess: allow it by 4lw\.commands\.whitelist .*--four/);
  const top = await run(["top", "--once", "--interval", "1"], { env });
  t.is(top.code, 0);
  t.regex(top.stdout, /^server +mode +requests\/s.*\n127\.0\.0\.1:\d+ +(?:leader|follower) +\d/);
  t.regex(top.stderr, /does not answer busy: allow it/);
});

test("over zks:// all goes by TLS, with the user's certificate as identity", async (t) => {
  const env = { ZOOID_SERVER: overTls, ZOOID_TLS_CA: authority.certificate };
  const shown = { ...env, ZOOID_TLS_CERT: user.certificate, ZOOID_TLS_KEY: user.key };
  t.is((await run(["create", "/secure", "x"], { env: shown })).code, 0);
  t.is((await run(["get", "/secure"], { env: shown })).stdout, "x");
  const files = ["--tls-cert", user.certificate, "--tls-key", user.key];
  t.regex((await run(["whoami", ...files], { env })).stdout, /^x509:CN=user,O=example$/m);
  t.regex((await run(["status"], { env: shown })).stdout, /^ +- {2}127\.0\.0\.1:\d+ +standalone/m);
  t.is((await run(["sessions"], { env: shown })).code, 0);
  const within = ["--timeout-ms", "2000"];
  const nobody = await run(["get", "/secure", ...within], { env });
  t.is(nobody.code, 6);
  t.regex(nobody.stderr, /certificate/);
  const stranger = await run(["get", "/secure", ...within], { env: { ZOOID_SERVER: overTls } });
  t.is(stranger.code, 6);
  t.regex(stranger.stderr, /certificate/);
});

test("without a server a command says where it looked and what to set", async (t) => {
  const { code, stdout, stderr } = await run(["ls", "--timeout-ms", "200"], {
    env: { ZOOID_SERVER: "nats://me:secret@127.0.0.1:1" },
  });
  t.deepEqual([code, stdout], [6, ""]);
  t.regex(
    stderr,
    /^zooid ls: .*\(server nats:\/\/127\.0\.0\.1:1\)\n {2}--server, or ZOOID_SERVER, says/,
  );
  t.notRegex(stderr, /secret/);
});

test("the shell runs the words of zkCli with one session, and ends with the code of what failed", async (t) => {
  const lines = [
    ...["# a comment", "create -e /shell 'a b'", "get /shell", "ls2 /shell"],
    ...[
      "setquota -n 5 /shell",
      "delquota /shell",
      "addauth digest bob:pw",
      "whoami",
      "stat /shell",
    ],
  ];
  const env = { ZOOID_SERVER: overTcp.url };
  const { code, stdout, stderr } = await run(["shell"], { env, stdin: lines.join("\n") });
  t.is(code, 3);
  t.regex(stdout, /^\/shell\na b\ncZxid = .*\ndigest:bob\n/s);
  // Another identity is another session, which the znode did not survive.
  t.regex(stderr, /\nstat: \/shell or its parent does not exist/);
});

test("in a terminal the shell completes, asks, and keeps its history without passwords", async (t) => {
  const env = { ZOOID_SERVER: overTcp.url, ZOOID_HISTORY: join(folder, "history") };
  await run(["create", "-p", "/typed/by hand"], { env });
  const shell = typing(["shell"], env);
  await shell.until(/zooid> /);
  await shell.type("ls /typ", /ls \/typ/, "\t", /ed/);
  await shell.type("\t", /\/by\\ hand/);
  await shell.type("\n", /zooid> /);
  await shell.type("addauth digest bob:pw\n", /connected to/);
  await shell.type("deleteall /typed\n", /2 znodes\? \[y\/N\]/);
  await shell.type("y\n", /2 znodes deleted/);
  await shell.type("watch /\n", /Ctrl-C ends it/);
  await shell.type("\u0003", /zooid> /);
  await shell.type("quit\n");
  t.is(await shell.ended, 0);
  const history = await readFile(env.ZOOID_HISTORY, "utf8");
  t.is(history, "ls /typed/by\\ hand\ndeleteall /typed\nwatch /\nquit\n");
});

test("on a terminal top draws on a screen of its own until q, and gives the terminal back", async (t) => {
  const top = typing(["top", "--interval", "1"], { ZOOID_SERVER: overTcp.url });
  await top.until(/\u001b\[\?1049h.*every 1 s, q ends it.*busiest paths/s);
  await top.type("q");
  t.is(await top.ended, 0);
  await top.until(/\u001b\[\?1049l$/);
  const again = typing(["top"], { ZOOID_SERVER: overTcp.url });
  await again.until(/measuring/);
  await again.type("\u0003");
  t.is(await again.ended, 130);
});

test("bash completes commands, flags and paths, and runs nothing that a znode is called", async (t) => {
  const env = { ZOOID_SERVER: overTcp.url };
  const evil = "/completed/$(touch evil)";
  await run(["create", "-p", evil], { env });
  const { stdout, code } = await bash(`cd ${folder}
    source <(zooid completion bash)
    reply() { COMP_LINE=$1 COMP_POINT=\${#1}; _zooid zooid 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"; }
    reply "zooid ls --tre"; reply "zooid get /completed/"`);
  t.is(code, 0);
  t.deepEqual(stdout.split("\n"), [...["--tree", evil.replaceAll(/[$() ]/g, "\\$&"), ""]]);
  t.false(existsSync(join(folder, "evil")));
});
