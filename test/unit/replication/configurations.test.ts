/** How a node learns that a configuration is in force which its own log does not tell it: log-sync by plain calls. */
import { crc32 } from "node:zlib";
import test from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage, LogSyncPeerMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncEffect, LogSyncState } from "../../../actors/log-sync/state.ts";
import { withIdentity } from "../../../protocol/configuration.ts";
import { epoch } from "../../../protocol/zxid.ts";
import { ensembleOf, folderOf, from, greeting, recoveredReport } from "../../support/peers.ts";
import { at, broadcasts, Driven, sent, server } from "../../support/plain-calls.ts";

const guest = { identity: folderOf(9), isVoter: false, isNamed: false } as const;

/** Node 1 of three. */
function start(
  report: Parameters<typeof recoveredReport>[0],
): Driven<LogSyncState, LogSyncMessage, LogSyncEffect> {
  const voters = [1, 2, 3].map(server);
  const logSync = new Driven(
    logSyncActor({ server: server(1), nonce: 1, voters, lanes: 1, crc32 }),
  );
  logSync.receive(recoveredReport(report));
  return logSync;
}

test("a candidate whose log binds a voter's number asks that voter whether it is committed, and then counts it", (t) => {
  const bound = { identity: folderOf(9), isVoter: false, isNamed: true } as const;
  const next = withIdentity(ensembleOf(3), { id: server(2), identity: folderOf(9) }, at(1, 1));
  const logSync = start({
    logged: [{ zxid: at(1, 1), configuration: next }],
    lastZxids: [at(1, 0), at(1, 1)],
    promise: { epoch: epoch(1), candidate: server(2) },
  });
  logSync.receive({ kind: "elected", leader: server(1) });
  const promise = { epoch: epoch(2), candidate: server(1) };
  logSync.receive({ kind: "promised", promise });
  const of = { folder: folderOf(1), epoch: epoch(2), granted: true, promise } as const;
  const reply: LogSyncPeerMessage = { kind: "promiseReply", ...of, lastZxid: at(1, 1) };
  t.like(sent(logSync.receive(from(2, reply, bound)), 2), [{ kind: "greeting", asks: true }]);
  t.is(logSync.state.role.kind, "candidate", "it counts for neither of the two folders");
  const stranger = { ...bound, isNamed: false };
  logSync.receive(from(2, greeting({ configuration: next }), stranger));
  t.is(logSync.state.membership.settled?.version, 1);
  logSync.receive(from(2, greeting({ configuration: next }), bound));
  t.is(logSync.state.membership.settled?.version, 2);
  logSync.receive({ kind: "timer", timer: "ask" });
  t.is(logSync.state.role.kind, "leading");
});

test("a voter whose configuration is over learns it from whoever refuses it as outdated, and stops", (t) => {
  const logSync = start({});
  const effects = logSync.receive({
    kind: "refusedByPeer",
    from: server(2),
    reason: "outdated",
    incarnation: 0,
  });
  t.like(sent(effects, 2), [{ kind: "greeting", asks: true }]);
  const next = withIdentity(ensembleOf(3), { id: server(1), identity: folderOf(9) }, at(1, 1));
  const told2 = logSync.receive(from(2, greeting({ configuration: next })));
  t.true(told2.some(({ kind }) => kind === "stopNode"));
});

test("a leader on a folder that counts for nothing here makes a node ask all for their configuration", (t) => {
  const logSync = start({ promise: { epoch: epoch(1), candidate: server(3) } });
  const append: LogSyncPeerMessage = {
    kind: "append",
    epoch: epoch(1),
    leader: server(3),
    prevZxid: at(1, 4),
    committed: at(1, 4),
    records: [],
    admission: "all",
  };
  const first = logSync.receive(from(3, append, guest));
  t.like(broadcasts(first), [{ kind: "greeting", asks: true }]);
  t.is(broadcasts(logSync.receive(from(3, append, guest))).length, 0, "once for a leader");
  const next = withIdentity(ensembleOf(3), { id: server(3), identity: folderOf(9) }, at(1, 1));
  logSync.receive(from(2, greeting({ configuration: next })));
  t.is(logSync.state.membership.counted.get(server(3)), folderOf(9));
});
