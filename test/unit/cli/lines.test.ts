/** The lines the command prints: logs, a listening node, and what it reads out of a node's `srvr`. */
import test from "ava";
import { parseStatus } from "../../../cli/ensemble/status.ts";
import { eventLine, logLine } from "../../../cli/log-lines.ts";
import { nodeLine, parseNodeLine } from "../../../cli/node-line.ts";
import { server } from "../../support/plain-calls.ts";

const atMs = Date.UTC(2026, 0, 1);

test("a log line has time, level, node, actor, event and the details", (t) => {
  const entry = {
    atMs,
    node: server(1),
    level: "info",
    actor: "log-sync",
    event: "leading",
  } as const;
  t.is(
    logLine({ ...entry, detail: { epoch: 1, again: false } }),
    "2026-01-01T00:00:00.000Z info  node=1 log-sync leading epoch=1 again=false",
  );
});

test("a detail that is no plain word is quoted, on one line, and one without a value is left out", (t) => {
  const entry = { atMs, node: server(1), level: "warn", actor: "a", event: "b" } as const;
  t.is(
    logLine({
      ...entry,
      detail: { why: 'two "words"\nmore', empty: "", eq: "a=b", none: undefined },
    }),
    '2026-01-01T00:00:00.000Z warn  node=1 a b why="two \\"words\\"\\nmore" empty="" eq="a=b"',
  );
});

test("events below the level are not shown", (t) => {
  const event = { kind: "log", atMs, node: server(1), actor: "a", event: "b", detail: {} } as const;
  t.is(eventLine({ ...event, level: "debug" }, "info"), undefined);
  t.is(typeof eventLine({ ...event, level: "info" }, "info"), "string");
  t.is(typeof eventLine({ ...event, level: "error" }, "warn"), "string");
});

test("a failure, a stop and a lost message are shown with their reasons", (t) => {
  const at = { atMs, node: server(2) };
  const failed = {
    kind: "failed",
    actor: "tree/1",
    message: "apply",
    error: "boom",
    supervision: "stopNode",
  } as const;
  const stopped = { kind: "stopNode", actor: "log", reason: "EIO" } as const;
  const lost = {
    kind: "undelivered",
    to: "tree/9",
    message: "apply",
    reason: "noSuchActor",
  } as const;
  t.regex(
    eventLine({ ...at, ...failed }, "error") ?? "",
    /error node=2 tree\/1 failed .*error=boom/,
  );
  t.regex(eventLine({ ...at, ...stopped }, "error") ?? "", /error node=2 log stopNode reason=EIO$/);
  t.regex(
    eventLine({ ...at, ...lost }, "warn") ?? "",
    /warn {2}node=2 tree\/9 undelivered .*reason=noSuchActor/,
  );
});

test("a node's line is read back, with an IPv6 address too", (t) => {
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    const line = { id: 1, pid: 1234, host, port: 2181 };
    t.deepEqual(parseNodeLine(nodeLine(line)), line);
  }
  t.is(
    nodeLine({ id: 1, pid: 1234, host: "127.0.0.1", port: 2181 }),
    "node 1  pid 1234  127.0.0.1:2181",
  );
  t.is(parseNodeLine("node 1 is up"), undefined);
});

test("mode and epoch are read out of srvr", (t) => {
  const text = "Zookeeper version: 3.8.0\nZxid: 0x10000002a\nMode: leader\nNode count: 5\n";
  t.deepEqual(parseStatus(text), { mode: "leader", epoch: 1 });
  t.deepEqual(parseStatus(text.replace("0x10000002a", "0x1fffff00000000")), {
    mode: "leader",
    epoch: 0x1f_ffff,
  });
});

test("a node that is not serving has no status", (t) => {
  t.is(parseStatus("This ZooKeeper instance is not currently serving requests\n"), undefined);
  t.is(parseStatus(""), undefined);
});
