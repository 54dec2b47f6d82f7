/** What the console does with any ensemble: zooid over NATS, zooid over ZooKeeper's protocol, Apache ZooKeeper. */
import test from "ava";
import { type ConsoleOptions, type Ended, run, runBytes } from "../../support/console.ts";

export type ConsoleTarget = {
  /** Stands before the titles. */
  readonly name: string;
  /** Known once the servers run. */
  url: string;
};

/** Each case has a part of the tree for itself, whose name does not depend on which ran before. */
export function consoleCases(name: string): ConsoleTarget {
  const target: ConsoleTarget = { name, url: "" };
  const zooid: Zooid = (args, options = {}) =>
    run(args, { env: { ZOOID_SERVER: target.url }, ...options });
  znodeCases(target, zooid);
  subtreeCases(target, zooid);
  serverCases(target, zooid);
  return target;
}

/** What is waited for while these commands run. Rejects when one of them ends before it has come. */
function whileRunning<Value>(
  awaited: Promise<Value>,
  ...commands: readonly Promise<Ended>[]
): Promise<Value> {
  const ends = commands.map(async (command): Promise<never> => {
    throw new Error(`a command has ended: ${JSON.stringify(await command)}`);
  });
  return Promise.race([awaited, ...ends]);
}

type Zooid = (args: readonly string[], options?: ConsoleOptions) => Promise<Ended>;

function znodeCases(target: ConsoleTarget, zooid: Zooid): void {
  const { name } = target;

  test(`${name}: znodes are created, listed, read, changed and deleted`, async (t) => {
    const made = await zooid(["create", "-p", "/plain/a/b", "first"]);
    t.deepEqual(made, { code: 0, stdout: "/plain/a/b\n", stderr: "" });
    t.is((await zooid(["create", "-s", "/plain/a/job-", "x"])).stdout, "/plain/a/job-0000000001\n");
    t.is((await zooid(["ls", "/plain/a"])).stdout, "b\njob-0000000001\n");
    t.is((await zooid(["ls", "-R", "/plain"])).stdout.split("\n").length, 5);
    t.is((await zooid(["ls", "-R", "--count", "/plain"])).stdout, "3\n");
    const tree = await zooid(["ls", "--tree", "/plain"]);
    t.is(tree.stdout, "/plain (1)\n└── a (2)\n    ├── b\n    └── job-0000000001\n\n4 znodes\n");
    t.is((await zooid(["get", "/plain/a/b"])).stdout, "first");
    t.is((await zooid(["set", "/plain/a/b", "second", "-v", "0"])).code, 0);
    const refused = await zooid(["set", "/plain/a/b", "third", "-v", "0"]);
    t.is(refused.code, 4);
    t.regex(refused.stderr, /^zooid set: \/plain\/a\/b has another version .*\n {2}somebody/);
    const read = JSON.parse((await zooid(["get", "-s", "--json", "/plain/a/b"])).stdout);
    t.is(read.data, "second");
    t.is(read.encoding, "utf8");
    t.is(read.stat.version, 1);
    t.is((await zooid(["delete", "/plain/a"])).code, 4);
    t.is((await zooid(["delete", "/plain/a/b"])).code, 0);
    const gone = await zooid(["get", "/plain/a/b"]);
    t.is(gone.code, 3);
    t.regex(gone.stderr, /^zooid get: \/plain\/a\/b or its parent does not exist/);
  });

  test(`${name}: values are any bytes, from an operand, a file or standard input`, async (t) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    await zooid(["create", "-p", "/bytes/a", "-"], { stdin: bytes });
    const { stdout } = await runBytes(["get", "/bytes/a"], { env: { ZOOID_SERVER: target.url } });
    t.deepEqual(new Uint8Array(stdout), bytes);
    const json = JSON.parse((await zooid(["get", "--json", "/bytes/a"])).stdout);
    t.deepEqual(json, {
      path: "/bytes/a",
      data: Buffer.from(bytes).toString("base64"),
      encoding: "base64",
    });
    t.is((await zooid(["set", "/bytes/a", "--hex", "00 FF1b"])).code, 0);
    t.is((await zooid(["get", "--hex", "/bytes/a"])).stdout, "00ff1b\n");
    t.is((await zooid(["set", "/bytes/a", "--base64", "aGk="])).code, 0);
    t.is((await zooid(["get", "/bytes/a"])).stdout, "hi");
    const wrong = await zooid(["set", "/bytes/a", "--hex", "0"]);
    t.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  });

  test(`${name}: lists of access are printed, replaced and heeded`, async (t) => {
    await zooid(["create", "-p", "/acl/a", "secret"]);
    t.is((await zooid(["acl", "/acl/a"])).stdout, "world:anyone:cdrwa\n");
    const env = { ZOOID_SERVER: target.url, ZOOID_AUTH: "bob:pw" };
    t.is((await zooid(["acl", "/acl/a", "auth::cdrwa"], { env })).code, 0);
    t.regex((await zooid(["acl", "/acl/a"], { env })).stdout, /^digest:bob:[\w+/=]+:cdrwa\n$/);
    const refused = await zooid(["get", "/acl/a"]);
    t.is(refused.code, 5);
    t.regex(refused.stderr, /ZOOID_AUTH/);
    t.is((await zooid(["get", "/acl/a"], { env })).stdout, "secret");
    const tree = await zooid(["ls", "-R", "/acl"]);
    t.deepEqual([tree.code, tree.stdout], [5, "/acl\n/acl/a\n"]);
    const wrong = await zooid(["acl", "/acl/a", "world:anyone:x,all"]);
    t.is(wrong.code, 2);
    t.regex(wrong.stderr, /"world:anyone:x,all": permissions are letters of cdrwa/);
  });

  test(`${name}: a quota is set, shown, changed and removed`, async (t) => {
    await zooid(["create", "-p", "/quota/a", "12345"]);
    t.is((await zooid(["quota", "/quota"])).code, 3);
    t.is((await zooid(["quota", "/quota", "-n", "10", "-b", "1000"])).code, 0);
    await zooid(["quota", "/quota", "-b", "none"]);
    const { quota } = JSON.parse((await zooid(["quota", "/quota", "--json"])).stdout);
    t.deepEqual(quota, { limits: { znodes: 10 }, znodes: 2, bytes: 5 });
    t.regex((await zooid(["quota", "/quota"])).stdout, /^znodes +2 +10 +-$/m);
    t.is((await zooid(["quota", "/quota", "--delete"])).code, 0);
    t.is((await zooid(["quota", "/quota"])).code, 3);
  });
}

function subtreeCases({ name }: ConsoleTarget, zooid: Zooid): void {
  test(`${name}: a subtree is deleted only when that is wanted`, async (t) => {
    for (const path of ["/all/a/b", "/all/c"]) await zooid(["create", "-p", path]);
    const refused = await zooid(["deleteall", "/all"]);
    t.is(refused.code, 2);
    t.regex(refused.stderr, /--yes/);
    t.is((await zooid(["deleteall", "--dry-run", "/all"])).stdout, "/all: 4 znodes\n");
    const no = await zooid(["deleteall", "/all"], { isTerminal: true, stdin: "n\n" });
    t.is(no.code, 1);
    t.regex(no.stderr, /delete \/all with all below it, 4 znodes\? \[y\/N\]/);
    t.is((await zooid(["ls", "-R", "--count", "/all"])).stdout, "3\n");
    const yes = await zooid(["deleteall", "/all"], { isTerminal: true, stdin: "y\n" });
    t.deepEqual([yes.code, yes.stdout], [0, "/all: 4 znodes deleted\n"]);
    t.is((await zooid(["stat", "/all"])).code, 3);
  });

  test(`${name}: an export comes back somewhere else as it was`, async (t) => {
    await zooid(["create", "-p", "/ex/a/b", "x"]);
    await zooid(["set", "/ex/a", "--hex", "ff00"]);
    await zooid(["acl", "/ex/a/b", "world:anyone:rwa"]);
    const { stdout, stderr } = await zooid(["export", "/ex"]);
    t.regex(stderr, /^3 znodes exported\n$/);
    const moved = await zooid(["import", "/im/copy"], { stdin: stdout });
    t.deepEqual([moved.code, moved.stdout], [0, "3 znodes created\n"]);
    t.is((await zooid(["get", "--hex", "/im/copy/a"])).stdout, "ff00\n");
    t.is((await zooid(["acl", "/im/copy/a/b"])).stdout, "world:anyone:rwa\n");
    const again = await zooid(["export", "/im/copy"]);
    t.is(again.stdout.replaceAll("/im/copy", "/ex"), stdout);
    await zooid(["create", "-c", "/ending"]);
    await zooid(["create", "-t", "3600000", "/ending/soon", "x"]);
    const ending = (await zooid(["export", "/ending"])).stdout;
    // Servers tell clients of ZooKeeper's protocol neither.
    t.is(/"container":true/.test(ending), name.endsWith("nats://"));
    t.is(/"ttlMs":3600000/.test(ending), name.endsWith("nats://"));
    const lines = [
      '{"zooidExport":2,"root":"/e"}',
      '{"path":"/e","data":null,"encoding":"utf8","container":true}',
      '{"path":"/e/soon","data":null,"encoding":"utf8","ttlMs":3600000}',
    ];
    const back = await zooid(["import", "/ends"], { stdin: lines.join("\n") });
    t.deepEqual([back.code, back.stdout], [0, "2 znodes created\n"], back.stderr);
    const whole = (await zooid(["export", "/ends", "--without-acl"])).stdout;
    if (name.endsWith("nats://")) t.is(`${lines.join("\n")}\n`.replaceAll("/e", "/ends"), whole);
    t.is((await zooid(["import"], { stdin: stdout })).code, 4);
    const skipped = await zooid(["import", "--existing", "skip"], { stdin: stdout });
    t.is(skipped.stdout, "0 znodes created, 3 skipped\n");
    await zooid(["set", "/ex/a/b", "other"]);
    const replaced = await zooid(["import", "--existing", "replace"], { stdin: stdout });
    t.is(replaced.stdout, "0 znodes created, 3 replaced\n");
    t.is((await zooid(["get", "/ex/a/b"])).stdout, "x");
  });

  test(`${name}: watch follows changes, and goes on from a zxid`, async (t) => {
    await zooid(["create", "/seen"]);
    const watching = Promise.withResolvers<void>();
    const first = zooid(["watch", "/seen", "--count", "1"], {
      onStderr: (text) => {
        if (text.includes("watching /seen and all below it")) watching.resolve();
      },
    });
    await watching.promise;
    await zooid(["create", "/seen/a", "one"]);
    const { stdout } = await first;
    t.regex(stdout, /^0x[\da-f]+ {2}created {2}\/seen\/a {2}"one"\n$/);
    const zxid = stdout.split(" ")[0] ?? "";
    await zooid(["set", "/seen/a", "two"]);
    const rest = await zooid(["watch", "/seen", "--from", zxid, "--count", "1", "--json"]);
    const change = JSON.parse(rest.stdout);
    t.deepEqual(
      [change.kind, change.path, change.data, change.stat.version],
      ["data", "/seen/a", "two", 1],
    );
  });

  test(`${name}: an ephemeral znode is kept until the user ends the command`, async (t) => {
    const ended = new AbortController();
    t.teardown(() => ended.abort());
    const made = Promise.withResolvers<void>();
    const keeping = zooid(["create", "-e", "-p", "/mine"], {
      signal: ended.signal,
      onStdout: (text) => text === "/mine\n" && made.resolve(),
    });
    await whileRunning(made.promise, keeping);
    t.regex((await zooid(["stat", "/mine"])).stdout, /ephemeralOwner = 0x[1-9a-f]/);
    ended.abort();
    t.is((await keeping).code, 130);
    t.is((await zooid(["get", "--linearizable", "/mine"])).code, 3);
  });
}

type Listed = Readonly<Record<string, string | number | null>>;

function serverCases(target: ConsoleTarget, zooid: Zooid): void {
  const { name } = target;
  const isApache = name.startsWith("Apache");
  const isOverNats = name.endsWith("nats://");

  test(`${name}: sessions tells who is connected where, and what each holds`, async (t) => {
    await zooid(["create", "/held"]);
    const ended = new AbortController();
    t.teardown(() => ended.abort());
    const env = { ZOOID_SERVER: target.url };
    const made = Promise.withResolvers<void>();
    const keeping = zooid(["create", "-e", "/held/mine", "--session-timeout-ms", "7000"], {
      ...{ env, signal: ended.signal },
      onStdout: () => made.resolve(),
    });
    await whileRunning(made.promise, keeping);
    const listed = await zooid(["sessions", "--json"]);
    const all = listed.stdout
      .trim()
      .split("\n")
      .map((line): Listed => JSON.parse(line));
    // Apache ZooKeeper's numbers of sessions are longer than what stat shows exactly. Where cores are busy a session may have been made, and the
    // answer come too late for its client, which then has another one.
    const own = all.find(({ timeoutMs, ephemerals }) => timeoutMs === 7000 && ephemerals === 1);
    t.is(own?.["watches"], 0, listed.stdout);
    t.true(Number(own?.["received"]) > 0);
    t.truthy(own?.["server"]);
    if (isOverNats) t.is(own?.["address"], null);
    else t.regex(String(own?.["address"]), /^127\.0\.0\.1:\d+$/);
    const table = await zooid(["sessions"]);
    t.regex(table.stdout, /^session +server +client +timeout ms +ephemerals +watches/);
    t.regex(table.stderr, /\d+ sessions?, \d+ of them connected\n$/);
    ended.abort();
    await keeping;
  });

  test(`${name}: top shows a bench at work, and the bench that is ended leaves nothing`, async (t) => {
    const ending = new AbortController();
    t.teardown(() => ending.abort());
    const env = { ZOOID_SERVER: target.url };
    const args = ["bench", "--path", "/worked", "--works", "mixed", "--seconds", "60"];
    const working = zooid([...args, "--outstanding", "8"], { env, signal: ending.signal });
    const seen = Promise.withResolvers<Samples>();
    const watching = new AbortController();
    t.teardown(() => watching.abort());
    const topping = zooid(["top", "--json", "--interval", "1"], {
      ...{ env, signal: watching.signal },
      onStdout: (text) => {
        for (const line of text.split("\n").slice(0, -1)) {
          const samples: Samples = JSON.parse(line);
          const paths = samples.paths ?? [];
          const isSeen = isApache
            ? (samples.sessions?.length ?? 0) > 0
            : paths.some(({ path }) => path.startsWith("/worked/value-"));
          if (isSeen) seen.resolve(samples);
        }
      },
    });
    const { servers, paths, sessions, missing } = await whileRunning(
      seen.promise,
      working,
      topping,
    );
    watching.abort();
    t.is((await topping).code, 130);
    t.true(servers.some(({ requests }) => Number(requests) > 0));
    t.true(servers.some(({ meanMs }) => Number(meanMs) > 0));
    t.true((sessions ?? []).some(({ requests }) => requests > 0));
    if (isApache) {
      t.is(paths, null);
      t.regex(missing.join(), /does not tell which paths are busy/);
    } else {
      t.true(servers.some(({ p99Ms }) => Number(p99Ms) > 0));
      t.deepEqual(missing, []);
    }
    ending.abort();
    t.is((await working).code, 130);
    t.is((await zooid(["stat", "/worked"])).code, 3);
  });

  test(`${name}: bench measures each work, and keeps off what is there`, async (t) => {
    await zooid(["create", "/there"]);
    const refused = await zooid(["bench", "--path", "/there"]);
    t.is(refused.code, 4);
    t.regex(refused.stderr, /^bench deletes only what it made: --path names another znode/);
    t.is((await zooid(["stat", "/there"])).code, 0);
    const size = ["--outstanding", "4", "--connections", "2", "--value-bytes", "7"];
    const works = ["--works", "create,set,get", "--seconds", "1"];
    const measured = await zooid(["bench", "--path", "/there/mine", "--json", ...works, ...size]);
    t.is(measured.code, 0, measured.stderr);
    const rows = measured.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    t.deepEqual(
      rows.map(({ work, connections, valueBytes, failed }) => [
        work,
        connections,
        valueBytes,
        failed,
      ]),
      [..."create set get".split(" ")].map((work) => [work, 2, 7, 0]),
    );
    for (const { operations, perSecond, p50Ms, p99Ms } of rows) {
      t.true(operations > 0 && perSecond > 0 && p50Ms > 0 && p99Ms >= p50Ms);
    }
    t.is((await zooid(["ls", "/there"])).stdout, "");
  });
}

type Samples = {
  readonly servers: readonly Listed[];
  readonly paths: readonly { readonly path: string }[] | null;
  readonly sessions: readonly { readonly requests: number }[] | null;
  readonly missing: readonly string[];
};
