/** The lines the command prints: logs, a listening node, and what it reads out of a node's `srvr`. */
import test from "ava";
import { roleIn } from "../../../cli/ensemble/status.ts";
import { type LogFormat, logLine, NodeLog } from "../../../cli/log-lines.ts";
import type { LogLevel } from "../../../runtime/effects.ts";
import type { InspectionEvent } from "../../../runtime/inspection.ts";
import { adminLine, nodeLine, parseAdminLine, parseNodeLine } from "../../../cli/node-line.ts";
import { server } from "../../support/plain-calls.ts";

const atMs = Date.UTC(2026, 0, 1);

/** The line that a log of this level has of an event, if it has one. */
function eventLine(
  event: InspectionEvent,
  level: LogLevel,
  format: LogFormat = "text",
): string | undefined {
  const lines: string[] = [];
  new NodeLog({ level, format, write: (line) => lines.push(line) }).event(event);
  return lines[0];
}

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

test("what is written down of changes over HTTP is shown whatever the level is", (t) => {
  const event = { kind: "log", atMs, node: server(1), actor: "node", level: "info" } as const;
  t.is(eventLine({ ...event, event: "adminChange", detail: {} }, "warn"), undefined);
  const line = eventLine({ ...event, event: "adminWrite", detail: { phase: "asked" } }, "error");
  t.regex(line ?? "", / node adminWrite phase=asked$/);
});

test("the level of a log may change", (t) => {
  const lines: string[] = [];
  const log = new NodeLog({ level: "warn", format: "text", write: (line) => lines.push(line) });
  const at = {
    kind: "log",
    atMs,
    node: server(1),
    actor: "a",
    level: "debug",
    detail: {},
  } as const;
  log.event({ ...at, event: "early" });
  log.level = "debug";
  log.event({ ...at, event: "late" });
  t.deepEqual(lines, ["2026-01-01T00:00:00.000Z debug node=1 a late"]);
});

test("for programs a line is a JSON object, whatever is in the details", (t) => {
  const at = { kind: "log", atMs, node: server(1), actor: "a", level: "warn", event: "b" } as const;
  const detail = { node: "another", text: 'two\n"lines"', none: undefined, count: 3 };
  const line = eventLine({ ...at, detail }, "info", "json") ?? "";
  t.false(line.includes("\n"));
  t.is(
    line,
    '{"time":"2026-01-01T00:00:00.000Z","level":"warn","node":1,"actor":"a","event":"b","detail":{"node":"another","text":"two\\n\\"lines\\"","count":3}}',
  );
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
  const admin = adminLine(1, "http://[::1]:8080");
  t.is(admin, "node 1  admin  http://[::1]:8080");
  t.deepEqual([parseAdminLine(admin), parseNodeLine(admin)], ["http://[::1]:8080", undefined]);
});

test("mode and epoch are read out of srvr", (t) => {
  const text = "Zookeeper version: 3.8.0\nZxid: 0x10000002a\nMode: leader\nNode count: 5\n";
  t.deepEqual(roleIn(text), { mode: "leader", epoch: 1 });
  t.deepEqual(roleIn(text.replace("0x10000002a", "0x1fffff00000000")), {
    mode: "leader",
    epoch: 0x1f_ffff,
  });
});

test("a node that is not serving has no status", (t) => {
  t.is(roleIn("This ZooKeeper instance is not currently serving requests\n"), undefined);
  t.is(roleIn(""), undefined);
});
