/** How far messages of peers may raise the epoch: log-sync by plain calls. The rule is docs/decisions/0014-epochs.md. */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage, LogSyncPeerMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import { EPOCH_MAX, epoch, ZXID_NONE } from "../../../protocol/zxid.ts";
import { folderOf, recoveredReport, senderOf } from "../../support/peers.ts";
import { Driven, sent, server, told } from "../../support/plain-calls.ts";

type LogSync = Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;

function started(promisedEpoch = 5): LogSync {
  const voters = [1, 2, 3].map(server);
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters, lanes: 1, crc32 }),
  );
  const promise = { epoch: epoch(promisedEpoch), candidate: server(3) };
  logSync.receive(recoveredReport({ promise }));
  return logSync;
}

function hear(logSync: LogSync, message: LogSyncPeerMessage): ReturnType<LogSync["receive"]> {
  const sender = senderOf(2);
  return logSync.receive({
    kind: "received",
    from: server(2),
    sender,
    message,
    request: undefined,
  });
}

function ask(logSync: LogSync, of: number): ReturnType<LogSync["receive"]> {
  return hear(logSync, { kind: "promiseRequest", epoch: epoch(of), candidate: server(2) });
}

/** The epoch that it asks for when it is elected. */
function chosen(logSync: LogSync): number | undefined {
  const [order] = told(logSync.receive({ kind: "elected", leader: server(1) }), "log") as {
    readonly promise?: { readonly epoch: number };
  }[];
  return order?.promise?.epoch;
}

test("one message of the highest epoch is neither promised nor raises what is chosen by much, whatever its kind", (t) => {
  const promise = { epoch: epoch(EPOCH_MAX), candidate: server(2) };
  const append = { leader: server(2), prevZxid: ZXID_NONE, committed: ZXID_NONE, records: [] };
  const messages: readonly LogSyncPeerMessage[] = [
    { kind: "promiseRequest", epoch: epoch(EPOCH_MAX), candidate: server(2) },
    { kind: "append", epoch: epoch(EPOCH_MAX), ...append, admission: "all" },
    {
      kind: "promiseReply",
      folder: folderOf(1),
      epoch: epoch(6),
      granted: false,
      promise,
      lastZxid: ZXID_NONE,
    },
    { kind: "deposed", promise },
  ];
  for (const message of messages) {
    const logSync = started();
    t.deepEqual(told(hear(logSync, message), "log"), [], message.kind);
    t.true((chosen(logSync) ?? EPOCH_MAX) < 10_000, message.kind);
  }
});

test("a node that missed a few thousand elections promises the next epoch at once", (t) => {
  const logSync = started(5);
  const promise = { epoch: epoch(4_000), candidate: server(2) };
  t.deepEqual(told(ask(logSync, 4_000), "log"), [{ kind: "promise", promise }]);
});

test("a node that missed a hundred thousand elections gets there while it keeps hearing of it", (t) => {
  const logSync = started(5);
  let asks = 0;
  while (told(ask(logSync, 100_000), "log").length === 0) {
    logSync.nowMs += 100;
    asks += 1;
    if (asks > 6_000) break;
  }
  t.true(asks > 1_000, "not at once");
  t.true(asks <= 6_000, "within ten minutes");
});

test("messages of the highest epoch without end use up the epochs in hours, not in seconds", (t) => {
  const logSync = started(5);
  for (let second = 0; second < 600; second += 1) {
    for (let times = 0; times < 20; times += 1) ask(logSync, EPOCH_MAX);
    logSync.nowMs += 1_000;
  }
  t.true((chosen(logSync) ?? EPOCH_MAX) < EPOCH_MAX / 10);
});

test("a node without an epoch left says so and does not stop", (t) => {
  const logSync = started(EPOCH_MAX);
  const effects = logSync.receive({ kind: "elected", leader: server(1) });
  t.true(effects.some((effect) => effect.kind === "log" && effect.event === "noEpochLeft"));
  t.deepEqual(told(effects, "log"), []);
  t.deepEqual(sent(effects, 2), []);
});
