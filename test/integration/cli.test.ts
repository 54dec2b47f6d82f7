/** The `zooid` command as a shell sees it: what it prints where, and its exit codes. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { Child } from "../support/child.ts";
import { COMMAND_LINE, type Ran, runZooid as zooid } from "../support/zooid-command.ts";

/** For `serve`: a free port, not to be reached from elsewhere. */
const LOCAL = ["--client-port", "0", "--client-port-address", "127.0.0.1"] as const;

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-cli-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test.serial("--help lists every command and exits with 0", async (t) => {
  const { code, stdout, stderr } = await zooid("--help");
  t.is(code, 0);
  t.regex(stdout, /usage: zooid <command>/);
  t.regex(stdout, /^ {2}serve /m);
  t.regex(stdout, /^ {2}ensemble /m);
  t.regex(stdout, /^ {2}inspect /m);
  t.is(stderr, "");
});

test.serial("without a command it shows the same help and exits with 2", async (t) => {
  const { code, stdout } = await zooid();
  t.is(code, 2);
  t.regex(stdout, /usage: zooid <command>/);
});

test.serial("--version prints the version of package.json", async (t) => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { code, stdout } = await zooid("--version");
  t.is(code, 0);
  t.true(text.includes(`"version": "${stdout.trim()}"`));
});

test.serial(
  "what npm runs does not load the compiler of TypeScript where the sources were kept before",
  async (t) => {
    const entry = fileURLToPath(new URL("../../cli/checkout.js", import.meta.url));
    const say =
      "data:text/javascript,process.on('exit',()=>console.log(process.moduleLoadList.some((name)=>name.includes('amaro'))))";
    // Settings of whoever runs the tests would say whether and where sources are kept.
    const {
      NODE_DISABLE_COMPILE_CACHE: _disabled,
      NODE_COMPILE_CACHE: _folder,
      CACHE_DIRECTORY: _ofService,
      ...env
    } = process.env;
    const start = (...args: readonly string[]): Promise<string> =>
      new Promise((resolve) => {
        const all = ["--import", say, ...args];
        execFile(process.execPath, all, { env }, (_, stdout) => resolve(stdout));
      });
    const first = await start(entry, "--version");
    const kept = await start(entry, "--version");
    t.is(kept, `${first.split("\n")[0]}\nfalse\n`);
    t.regex(
      await start(COMMAND_LINE, "--version"),
      /\ntrue\n$/,
      "a start that finds nothing kept does",
    );
  },
);

test.serial(
  "on a Node that is too old it says which it needs, before anything else fails",
  async (t) => {
    const old =
      "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.2'})";
    const { stdout, stderr, code } = await new Promise<Ran>((resolve) => {
      const args = ["--import", old, COMMAND_LINE, "serve"];
      const child = execFile(process.execPath, args, (_, out, err) => {
        resolve({ code: child.exitCode, stdout: out, stderr: err });
      });
    });
    t.is(code, 1);
    t.is(stdout, "");
    t.regex(
      stderr,
      /^zooid: needs Node\.js 22\.20 or newer, and this is 20\.20\.2 \(.*\): install/,
    );
  },
);

test.serial("each command's --help shows its flags and exits with 0", async (t) => {
  const serve = await zooid("serve", "--help");
  t.is(serve.code, 0);
  for (const flag of [
    "id N",
    "members 1,2,3",
    "ensemble NAME",
    "nats URL",
    "client-port N",
    "data-dir FOLDER",
    "lanes N",
    "config FILE",
  ]) {
    t.true(serve.stdout.includes(`--${flag}`), flag);
  }
  const ensemble = await zooid("ensemble", "--help");
  t.is(ensemble.code, 0);
  for (const flag of ["nodes N", "client-port N", "data-dir FOLDER", "nats URL", "in-process"]) {
    t.true(ensemble.stdout.includes(`--${flag}`), flag);
  }
});

test.serial("an unknown command exits with 2 and suggests the nearest", async (t) => {
  const { code, stdout, stderr } = await zooid("srve");
  t.is(code, 2);
  t.is(stdout, "");
  t.regex(stderr, /unknown command srve; did you mean serve\?/);
});

test.serial("unknown flags exit with 2, each with the nearest known one", async (t) => {
  const { code, stderr } = await zooid("serve", "--client-prot", "2181", "--dataDir", "x");
  t.is(code, 2);
  t.regex(stderr, /unknown flag --client-prot; did you mean --client-port\?/);
  t.regex(stderr, /unknown flag --dataDir; did you mean --data-dir\?/);
});

test.serial(
  "serve reports all wrong settings of flags and file at once and starts nothing",
  async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "zoo.cfg");
    writeFileSync(file, "tickTime=fast\nserver.1=a:2888:3888\nserver.2=b:2888:3888\n");
    const dataDir = join(folder, "data");
    const { code, stdout, stderr } = await zooid(
      ...["serve", "--config", file, "--data-dir", dataDir, "--lanes", "17", "--client-port", "x"],
    );
    t.is(code, 2);
    t.is(stdout, "");
    t.regex(stderr, /5 settings are wrong/);
    for (const field of [
      "id is missing",
      "natsUrls is missing",
      "clientPort = x",
      "tickTimeMs = fast",
      "lanes = 17",
    ]) {
      t.true(stderr.includes(field), field);
    }
    t.true(stderr.includes(`${file}:1`));
    t.throws(() => readFileSync(dataDir), { code: "ENOENT" });
  },
);

test.serial("a configuration file that cannot be read is named", async (t) => {
  const { code, stderr } = await zooid("serve", "--config", "/nowhere/zoo.cfg");
  t.is(code, 2);
  t.regex(stderr, /config = \/nowhere\/zoo\.cfg/);
});

test.serial(
  "serve --check prints what a node would use and from where, starts nothing and writes nothing",
  async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "zoo.cfg");
    const dataDir = join(folder, "data");
    const lines = [
      `dataDir=${dataDir}`,
      "clientport=2182",
      "snapCount=100",
      "leaderServes=no",
      "zooid.nats=nats://me:s3cret@127.0.0.1:4222",
    ];
    writeFileSync(file, lines.join("\n"));
    const { code, stdout, stderr } = await zooid(
      ...["serve", "--check", "--config", file, "--lanes", "2"],
    );
    t.deepEqual([code, stderr], [0, ""]);
    t.regex(stdout, /^The configuration is valid/);
    for (const line of [
      /^ {2}clientPort {2,}2181 {2,}default$/m,
      /^ {2}zooid\.lanes {2,}2 {2,}--lanes$/m,
      new RegExp(`^  dataDir {2,}${dataDir} {2,}${file}:1$`, "m"),
      /^ {2}zooid\.nats {2,}nats:\/\/\*\*\*@127\.0\.0\.1:4222 /m,
      new RegExp(`^2 warnings:\n  ${file}:2: clientport is unknown .*did you mean clientPort`, "m"),
      new RegExp(`^  ${file}:4: leaderServes has no effect: `, "m"),
      new RegExp(`^1 key has no effect here:\n  ${file}:3: snapCount: snapshots are cut by`, "m"),
    ]) {
      t.regex(stdout, line);
    }
    t.false(stdout.includes("s3cret"));
    t.deepEqual(readdirSync(folder), ["zoo.cfg"]);
  },
);

test.serial(
  "serve --check of a wrong configuration exits with 2 and says all that is to be said",
  async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "zoo.cfg");
    const lines = [
      `dataDir=${join(folder, "data")}`,
      "tickTime=fast",
      "ssl.crl=true",
      "zooid.lane=1",
      "snapCount=100",
    ];
    writeFileSync(file, lines.join("\n"));
    const { code, stdout, stderr } = await zooid("serve", "--check", "--config", file);
    t.deepEqual([code, stdout], [2, ""]);
    t.regex(stderr, /^zooid serve: 2 settings are wrong/);
    t.true(stderr.includes(`ssl.crl = true  (${file}:3)\n    asks for certificates`));
    t.true(stderr.includes(`tickTimeMs = fast  (${file}:2)`));
    t.regex(stderr, /^1 warning:\n.*zooid\.lane is unknown .*did you mean zooid\.lanes\?/m);
    t.regex(stderr, /^1 key has no effect here:\n.*snapCount: /m);
    t.deepEqual(readdirSync(folder), ["zoo.cfg"]);
  },
);

test.serial(
  "serve logs what somebody may miss as warnings, and all keys without effect in one line",
  async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "zoo.cfg");
    writeFileSync(file, "initLimit=10\nsnapCount=1\nforceSync=no\nleaderServes=no\n");
    const node = new Child({
      command: process.execPath,
      args: [COMMAND_LINE, "serve", ...LOCAL, "--config", file, "--data-dir", join(folder, "data")],
    });
    t.teardown(async () => {
      node.kill("SIGKILL");
      await node.exited;
    });
    await node.line(/keysWithoutEffect/);
    const output = node.output();
    t.regex(output, /warn {2}node=1 config warning warning=".*:4: leaderServes has no effect: /);
    t.regex(
      output,
      /info {2}node=1 config keysWithoutEffect keys="3 keys have no effect here: initLimit, snapCount, forceSync; zooid serve --check says why"/,
    );
  },
);

test.serial("ensemble reports all wrong settings at once, each once", async (t) => {
  const { code, stderr } = await zooid(
    "ensemble",
    "--nodes",
    "0",
    "--lanes",
    "x",
    "--nats",
    "http://a",
  );
  t.is(code, 2);
  t.regex(stderr, /3 settings are wrong/);
  const three = await zooid("ensemble", "--nodes", "3", "--lanes", "x");
  t.regex(three.stderr, /1 setting is wrong/);
});

test.serial("ensemble refuses a port range that ends beyond the last port", async (t) => {
  const { code, stderr } = await zooid("ensemble", "--nodes", "3", "--client-port", "65534");
  t.is(code, 2);
  t.regex(stderr, /clientPort = 65536/);
});

test.serial("ensemble names the port that is in use and starts nothing", async (t) => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : 0);
    });
  });
  t.teardown(() => server.close());
  const dataDir = join(temporaryFolder(t), "data");
  const { code, stdout, stderr } = await zooid(
    ...["ensemble", "--nodes", "1", "--client-port", `${port}`, "--data-dir", dataDir],
  );
  t.is(code, 1);
  t.is(stdout, "");
  t.true(stderr.includes(`port ${port}, for node 1, is in use`));
  t.throws(() => readFileSync(dataDir), { code: "ENOENT" });
});

/** A node alone that serves from `folder`, started with that as its working folder. */
async function serving(t: ExecutionContext, folder: string): Promise<Child> {
  const child = new Child({
    command: process.execPath,
    args: [COMMAND_LINE, "serve", ...LOCAL, "--data-dir", "data"],
    cwd: folder,
  });
  t.teardown(() => child.stop());
  await child.line(/^node 1 {2}pid \d+ /);
  return child;
}

/** Exit code 1, and after the log one line that says what is wrong: no stack trace, nothing on standard output. */
function failsWith(t: ExecutionContext, { code, stdout, stderr }: Ran, reason: RegExp): void {
  t.is(code, 1, stderr);
  t.is(stdout, "");
  const lines = stderr.trimEnd().split("\n");
  const logged = lines.filter((line) => /^\d{4}-\d\d-\d\dT\S+ (?:debug|info|warn) /.test(line));
  t.is(lines.length, logged.length + 1, stderr);
  t.regex(lines.at(-1) ?? "", reason);
}

test.serial(
  "serve works from any working folder, which a relative data folder counts from",
  async (t) => {
    const folder = temporaryFolder(t);
    await serving(t, folder);
    t.true(existsSync(join(folder, "data", "zooid.json")));
  },
);

test.serial("a data folder in use is refused, with the process that uses it", async (t) => {
  const folder = temporaryFolder(t);
  const child = await serving(t, folder);
  const data = join(folder, "data");
  const second = await zooid("serve", ...LOCAL, "--data-dir", data);
  failsWith(
    t,
    second,
    new RegExp(`did not start: .*${data} is in use by process ${child.pid}: stop`),
  );
});

test.serial("another node's data folder, or another ensemble's, is refused", async (t) => {
  const folder = temporaryFolder(t);
  const child = await serving(t, folder);
  await child.stop();
  const own = ["serve", ...LOCAL, "--data-dir", join(folder, "data")];
  const reason = "did not start: the data folder contradicts this start";
  const other = await zooid(...own, "--ensemble", "other");
  failsWith(t, other, new RegExp(`${reason} .*ensemble "zooid" in the folder, "other" in this`));
  const second = await zooid(...own, "--id", "2", "--members", "2");
  failsWith(t, second, new RegExp(`${reason} .*id 1 in the folder, 2 in this`));
});

test.serial("a folder with files that are not zooid's is refused, and left as it is", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "notes.txt"), "mine");
  const result = await zooid("serve", ...LOCAL, "--data-dir", folder);
  failsWith(t, result, /did not start: .*notes\.txt.* not zooid's/);
  t.is(readFileSync(join(folder, "notes.txt"), "utf8"), "mine");
});

test.serial("a data folder that cannot be made is named with the reason", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "file");
  writeFileSync(file, "");
  const reason = new RegExp(
    `the data folder ${file} cannot be made: ${file} is there and is no folder`,
  );
  failsWith(t, await zooid("serve", ...LOCAL, "--data-dir", file), reason);
  const ensemble = ["ensemble", "--nodes", "1", "--client-port", "0", "--data-dir", file];
  failsWith(t, await zooid(...ensemble), reason);
});
