/**
 * A follower whose network delivers old messages late: log-sync and the log together, on a disk. Whatever of a snapshot comes when,
 * the follower keeps the records that it has acknowledged.
 */
import type { LogSyncEffect } from "../../../actors/log-sync/state.ts";
import { crc32 } from "node:zlib";
import test, { type ExecutionContext } from "ava";
import { logSyncActor } from "../../../actors/log-sync/log-sync.ts";
import type { LogSyncMessage, LogSyncPeerMessage } from "../../../actors/log-sync/messages.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import type { LogMessage } from "../../../actors/log/messages.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { ensembleOf, folderOf, senderOf } from "../../support/peers.ts";
import { Driven, record, sent, server, told } from "../../support/plain-calls.ts";
import { chunks, identityOf, LogHarness, recovered, zxid } from "../log/harness.ts";

const configuration = ensembleOf(3);

/** Node 1, a follower of node 2 in epoch 1, on a disk of its own. */
class Follower {
  nowMs = 0;
  readonly disk: MemoryDisk = new MemoryDisk();
  readonly logSync: Driven<LogSyncState, LogSyncMessage, LogSyncEffect>;
  readonly log: LogHarness;
  /** To the leader. */
  readonly sent: LogSyncPeerMessage[] = [];

  constructor() {
    const voters = [1, 2, 3].map(server);
    this.logSync = new Driven(
      logSyncActor({ server: server(1), nonce: 1, voters, lanes: 1, crc32 }),
    );
    this.log = new LogHarness(this.disk);
    // The folder is one of three, not of a node alone.
    const identity = folderOf(1);
    this.#hear(
      this.log.run().map((report) => {
        return report.kind === "recovered" ? { ...report, identity, configuration } : report;
      }),
    );
    // It accepts nothing of an epoch above its promise before the new promise is durable.
    this.announce(1, ZXID_NONE, ZXID_NONE);
  }

  /** The leader of the epoch says where its log ends. */
  announce(inEpoch: number, end: Zxid, committed: Zxid): void {
    const [of, leader] = [epoch(inEpoch), server(2)];
    this.hear({
      ...{ kind: "append", epoch: of, leader, prevZxid: end, committed },
      records: [],
      admission: "all",
    });
  }

  /** The leader says this; everything that follows from it is done. */
  hear(message: LogSyncPeerMessage): void {
    this.logSync.nowMs = this.nowMs;
    this.#take({ kind: "received", from: server(2), sender: senderOf(2), message });
  }

  /** The leader's records from `from` to `to`, the first of which is its barrier; up to `committed` they are committed. */
  append(from: number, to: number, committed: number | undefined): void {
    this.hear({
      kind: "append",
      epoch: epoch(1),
      leader: server(2),
      prevZxid: from === 0 ? ZXID_NONE : zxid(1, from - 1),
      committed: committed === undefined ? ZXID_NONE : zxid(1, committed),
      records: batches(from, to),
      admission: "all",
    });
  }

  /** Gives all chunks that are asked for, or the next `most`. */
  give(all: readonly Uint8Array[], most = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < most; count += 1) {
      const at = this.sent.findIndex(({ kind }) => kind === "askChunk");
      const [ask] = at < 0 ? [] : this.sent.splice(at, 1);
      if (ask?.kind !== "askChunk") return;
      this.hear({ ...ask, kind: "snapshotChunk", bytes: all[ask.index] ?? new Uint8Array(0) });
    }
  }

  get accepted(): Zxid {
    const said = this.sent.flatMap((one) => (one.kind === "accepted" ? [one.zxid] : []));
    return said.reduce((a, b) => (a > b ? a : b), ZXID_NONE);
  }

  #take(message: LogSyncMessage): void {
    const effects = this.logSync.receive(message);
    this.sent.push(...(sent(effects, 2) as LogSyncPeerMessage[]));
    for (const order of told(effects, "log") as LogMessage[]) this.#hear(this.log.ask(order));
  }

  #hear(reports: readonly LogSyncMessage[]): void {
    for (const report of reports) this.#take(report);
  }
}

/** Records of epoch 1; of counter 0 there is none before. */
function batches(from: number, to: number): Uint8Array[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const counter = from + index;
    return record(zxid(1, counter), counter === 0 ? ZXID_NONE : zxid(1, counter - 1));
  });
}

function snapshotAt(at: Zxid): { snapshot: SnapshotIdentity; all: readonly Uint8Array[] } {
  const all = chunks(at, 2);
  return { snapshot: identityOf(at, all), all };
}

/** Everything acknowledged is still there, in memory and at the next start. */
function keepsAll(t: ExecutionContext, node: Follower, to: number): void {
  t.is(node.accepted, zxid(1, to));
  t.is(node.logSync.state.log.index.tail, zxid(1, to));
  t.is(node.logSync.state.log.durable, zxid(1, to));
  t.is(recovered(new LogHarness(node.disk)).lastZxids.at(-1), zxid(1, to));
}

test("a snapshot offered late, which the log has passed without knowing that it is committed, is not installed", (t) => {
  const node = new Follower();
  node.append(0, 3, 3);
  // `behind`, said here, is on its way for long. The follower catches up, and acknowledges; the leader purges; then it hears it.
  node.append(4, 60, 10);
  const { snapshot, all } = snapshotAt(zxid(1, 40));
  node.hear({ kind: "snapshotOffer", epoch: epoch(1), snapshot, configuration });
  node.give(all);
  keepsAll(t, node, 60);
});

test("a snapshot under way is dropped when appends bring the log as far", (t) => {
  const node = new Follower();
  node.append(0, 3, 3);
  const { snapshot, all } = snapshotAt(zxid(1, 40));
  node.hear({ kind: "snapshotOffer", epoch: epoch(1), snapshot, configuration });
  node.append(4, 60, 10);
  node.give(all);
  keepsAll(t, node, 60);
  t.is(node.logSync.state.snapshots.transfer, undefined);
});

test("a snapshot whose last chunk comes after appends have brought the log as far is not installed", (t) => {
  const node = new Follower();
  node.append(0, 3, 3);
  const { snapshot, all } = snapshotAt(zxid(1, 40));
  node.hear({ kind: "snapshotOffer", epoch: epoch(1), snapshot, configuration });
  node.give(all, 1);
  node.append(4, 60, 10);
  node.give(all);
  keepsAll(t, node, 60);
});

test("a follower that is behind indeed gets the snapshot, and goes on from it", (t) => {
  const node = new Follower();
  node.append(0, 3, 3);
  const { snapshot, all } = snapshotAt(zxid(1, 40));
  node.hear({ kind: "snapshotOffer", epoch: epoch(1), snapshot, configuration });
  node.give(all);
  t.is(node.logSync.state.log.index.base, zxid(1, 40));
  node.append(41, 60, 50);
  keepsAll(t, node, 60);
});

test("a snapshot that the log contradicts is installed: what goes was never committed", (t) => {
  const node = new Follower();
  node.append(0, 50, 3);
  const { snapshot, all } = snapshotAt(zxid(2, 0));
  node.announce(3, zxid(3, 9), zxid(3, 9));
  node.hear({ kind: "snapshotOffer", epoch: epoch(3), snapshot, configuration });
  node.give(all);
  t.is(node.logSync.state.log.index.tail, zxid(2, 0));
  t.is(recovered(new LogHarness(node.disk)).baseZxid, zxid(2, 0));
});
