/** The tree against a plain-map model, against itself, and its watches and change streams against what has changed. */
import { deepStrictEqual, equal } from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import type { TreeReply } from "../../actors/tree/messages.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import type { ClientOperation, Operation } from "../../protocol/operations.ts";
import { parentOf } from "../../protocol/paths.ts";
import { WatchEventType, type Change, type Read } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Effect } from "../../runtime/effects.ts";
import { clientOperation, path, PATHS, znodeOperation } from "../support/operation-arbitraries.ts";
import { appliedOf, client, PASSWORD, Replica, toldOf } from "../support/replica.ts";
import { modelView, TreeModel, type ModelChange } from "../support/tree-model.ts";

const SESSIONS = 3;
const RUNS = 150;

type Write = { readonly session: number; readonly operation: ClientOperation };

const write: fc.Arbitrary<Write> = fc.record({
  session: fc.nat({ max: SESSIONS - 1 }),
  operation: clientOperation,
});
const batches: fc.Arbitrary<readonly (readonly Write[])[]> = fc.array(
  fc.array(write, { minLength: 1, maxLength: 6 }),
  { maxLength: 25 },
);

/** A replica and its model, both with the same sessions. */
function start(): { replica: Replica; model: TreeModel; sessions: readonly SessionId[] } {
  const replica = new Replica();
  const model = new TreeModel();
  const sessions = Array.from({ length: SESSIONS }, () => replica.session());
  for (const session of sessions) model.sessions.add(session);
  return { replica, model, sessions };
}

function operationsOf(batch: readonly Write[], sessions: readonly SessionId[]): Operation[] {
  return batch.map(({ session, operation }) => client(sessionAt(sessions, session), operation));
}

function sessionAt(sessions: readonly SessionId[], index: number): SessionId {
  const session = sessions[index];
  if (session === undefined) throw new Error("no such session");
  return session;
}

function applyToModel(
  model: TreeModel,
  batch: readonly Write[],
  sessions: readonly SessionId[],
  replica: Replica,
): object[] {
  const firstZxid = replica.lastZxid - batch.length + 1;
  return batch.map(({ session, operation }, index) =>
    model.apply(
      sessionAt(sessions, session),
      operation,
      (firstZxid + index) as Zxid,
      replica.timeMs,
    ),
  );
}

function replicaView(replica: Replica, paths: Iterable<string>): Record<string, object> {
  const view: Record<string, object> = {};
  for (const each of paths) {
    const result = replica.data(each);
    if (result.kind !== "data") continue;
    const text = result.data === null ? null : new TextDecoder().decode(result.data);
    view[each] = { data: text, stat: result.stat, children: replica.children(each) };
  }
  return view;
}

test("every result and every znode equals the plain-map model's", (t) => {
  fc.assert(
    fc.property(batches, (written) => {
      const { replica, model, sessions } = start();
      for (const batch of written) {
        const effects = replica.commit(...operationsOf(batch, sessions));
        const expected = applyToModel(model, batch, sessions, replica);
        deepStrictEqual(appliedOf(effects)[0]?.results as object[], expected);
        equal(replica.metrics().znodes, model.nodes.size);
      }
      deepStrictEqual(replicaView(replica, model.nodes.keys()), modelView(model));
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

test("two replicas that are given the same records in different portions have equal digests", (t) => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 5 }), (written, portion) => {
      const { replica, sessions } = start();
      const records = written.map((batch) => replica.record(operationsOf(batch, sessions)));
      // The other has the records of the sessions too, holds watches and streams, and little of the past.
      const other = new Replica({ ringBytesMax: 2000 });
      for (let count = 0; count < SESSIONS; count++) other.session();
      other.receive({
        kind: "openStream",
        from: "zookeeper/9",
        client: 1,
        stream: 1,
        path: "/",
        recursive: true,
        after: undefined,
      });
      replica.receive({ kind: "committed", records });
      for (let from = 0; from < records.length; from += portion) {
        for (const each of PATHS) other.read({ kind: "exists", path: each, watch: true });
        other.receive({ kind: "committed", records: records.slice(from, from + portion) });
      }
      equal(other.digest(), replica.digest());
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

test("a digest changes with whatever changes the state", (t) => {
  fc.assert(
    fc.property(batches, znodeOperation, (written, operation) => {
      const one = start();
      const other = start();
      for (const { replica, sessions } of [one, other]) {
        for (const batch of written) replica.commit(...operationsOf(batch, sessions));
        replica.commit({ kind: "createSession", timeoutMs: 1, password: PASSWORD });
      }
      equal(one.replica.digest(), other.replica.digest());
      const session = one.replica.lastZxid as number as SessionId;
      const [result] = one.replica.results(client(session, operation));
      other.replica.commit(client(session, { kind: "sync", path: "/" }));
      const stats = [one, other].map(({ replica }) =>
        [...PATHS, "/zookeeper"].map((path) =>
          replica.read({ kind: "exists", path, watch: false }),
        ),
      );
      // What has no effect leaves every Stat as it is, and what a create makes shows in its parent's.
      const same =
        result?.kind === "error" || JSON.stringify(stats[0]) === JSON.stringify(stats[1]);
      equal(one.replica.digest() === other.replica.digest(), same);
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

/** Which watches are set, and what each change must make of them. */
class WatchModel {
  readonly data = new Map<string, Set<number>>();
  readonly child = new Map<string, Set<number>>();
  readonly told = new Map<number, string[]>();

  set(number: number, read: Read, exists: boolean): void {
    if (!("watch" in read) || !read.watch) return;
    if (!exists && read.kind !== "exists") return;
    const table = read.kind === "getChildren" ? this.child : this.data;
    table.set(read.path, (table.get(read.path) ?? new Set()).add(number));
  }

  change({ kind, path: changed, zxid }: ModelChange): void {
    if (kind === "acl") return;
    if (kind === "data") {
      this.#fire(this.data, changed, WatchEventType.nodeDataChanged, zxid);
      return;
    }
    const type = kind === "created" ? WatchEventType.nodeCreated : WatchEventType.nodeDeleted;
    const told = this.#fire(this.data, changed, type, zxid);
    if (kind === "deleted") this.#fire(this.child, changed, type, zxid, told);
    this.#fire(this.child, parentOf(changed), WatchEventType.nodeChildrenChanged, zxid);
  }

  #fire(
    table: Map<string, Set<number>>,
    at: string,
    type: number,
    zxid: Zxid,
    except: ReadonlySet<number> = new Set(),
  ): ReadonlySet<number> {
    const watchers = table.get(at) ?? new Set<number>();
    table.delete(at);
    for (const number of watchers) {
      if (except.has(number)) continue;
      this.told.set(number, [...(this.told.get(number) ?? []), `${zxid} ${type} ${at}`]);
    }
    return watchers;
  }
}

const watchRead: fc.Arbitrary<{ number: number; read: Read }> = fc.record({
  number: fc.nat({ max: 2 }),
  read: fc.record({
    kind: fc.constantFrom("exists" as const, "getData" as const, "getChildren" as const),
    path,
    watch: fc.boolean(),
  }),
});

function eventsOf(effects: readonly Effect[], told: Map<number, string[]>): void {
  for (const { message } of toldOf(effects)) {
    if (message.kind !== "watchEvents") continue;
    const lines = message.events.map(({ type, path: at, zxid }) => `${zxid} ${type} ${at}`);
    told.set(message.client, [...(told.get(message.client) ?? []), ...lines]);
  }
}

test("no watch event is missed and none is invented", (t) => {
  const turn = fc.record({
    reads: fc.array(watchRead, { maxLength: 4 }),
    batch: fc.array(write, { minLength: 1, maxLength: 5 }),
  });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 20 }), (turns) => {
      const { replica, model, sessions } = start();
      const watches = new WatchModel();
      const told = new Map<number, string[]>();
      for (const { reads, batch } of turns) {
        for (const { number, read } of reads) {
          replica.readAs("zookeeper/9", number, read);
          watches.set(number, read, "path" in read && model.nodes.has(read.path));
        }
        const before = model.changes.length;
        eventsOf(replica.commit(...operationsOf(batch, sessions)), told);
        applyToModel(model, batch, sessions, replica);
        for (const change of model.changes.slice(before)) watches.change(change);
      }
      deepStrictEqual(told, watches.told);
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

test("the changes after any zxid, on top of the tree at that zxid, give the tree of now", (t) => {
  fc.assert(
    fc.property(batches, fc.nat(), (written, choice) => {
      const { replica, model, sessions } = start();
      const at: { zxid: Zxid; paths: string[] }[] = [];
      for (const batch of written) {
        at.push({ zxid: replica.lastZxid, paths: [...model.nodes.keys()] });
        replica.commit(...operationsOf(batch, sessions));
        applyToModel(model, batch, sessions, replica);
      }
      at.push({ zxid: replica.lastZxid, paths: [...model.nodes.keys()] });
      const from = at[choice % at.length];
      if (from === undefined) return;
      const changes = streamAfter(replica, from.zxid);
      deepStrictEqual(
        changes.map(({ kind, path: changed, zxid }) => ({ kind, path: changed, zxid })),
        model.changes.filter(({ zxid }) => zxid > from.zxid),
      );
      const paths = new Set(from.paths);
      for (const { kind, path: changed } of changes) {
        if (kind === "created") paths.add(changed);
        if (kind === "deleted") paths.delete(changed);
      }
      deepStrictEqual([...paths].toSorted(), [...model.nodes.keys()].toSorted());
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

function streamAfter(replica: Replica, after: Zxid): readonly Change[] {
  const effects = replica.receive({
    kind: "openStream",
    from: "zookeeper/9",
    client: 1,
    stream: 1,
    path: "/",
    recursive: true,
    after,
  });
  return toldOf(effects).flatMap(({ message }) => {
    const reply = message as TreeReply;
    return reply.kind === "changes" ? reply.changes : [];
  });
}

test("who submits a batch makes no difference to the tree", (t) => {
  fc.assert(
    fc.property(batches, (written) => {
      const own = start();
      const foreign = start();
      const server = 2 as ServerId;
      for (const batch of written) {
        own.replica.commit(...operationsOf(batch, own.sessions));
        const submitter = { ...foreign.replica.submitter, server };
        const record = foreign.replica.record(operationsOf(batch, foreign.sessions), { submitter });
        const effects = foreign.replica.receive({ kind: "committed", records: [record] });
        deepStrictEqual(appliedOf(effects), []);
      }
      const paths = own.replica.children("/").map((name) => `/${name}`);
      deepStrictEqual(replicaView(foreign.replica, paths), replicaView(own.replica, paths));
    }),
    { numRuns: RUNS },
  );
  t.pass();
});
