/** A snapshot is the state at one zxid, whatever is applied while it is cut; and records go on from there. */
import { deepStrictEqual, equal } from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import type { SessionId } from "../../protocol/ids.ts";
import type { ClientOperation, Operation } from "../../protocol/operations.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Effect } from "../../runtime/effects.ts";
import { clientOperation, PATHS } from "../support/operation-arbitraries.ts";
import { appliedOf, client, emittedOf, PASSWORD, Replica, sessionsOf } from "../support/replica.ts";
import { cut, load, loadedOf } from "../support/snapshots.ts";

const RUNS = 300;

/** `session` counts those made so far, also the closed ones. */
type Write =
  | { readonly kind: "client"; readonly session: number; readonly operation: ClientOperation }
  | { readonly kind: "attach" | "expire"; readonly session: number; readonly timeoutMs: number }
  | { readonly kind: "open"; readonly timeoutMs: number };

const session = fc.nat({ max: 7 });
const timeoutMs = fc.constantFrom(4000, 10_000, 40_000);
const write: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("client" as const),
      session,
      operation: clientOperation,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("attach" as const, "expire" as const),
      session,
      timeoutMs,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("open" as const), timeoutMs }) },
);
const batch: fc.Arbitrary<readonly Write[]> = fc.array(write, { minLength: 1, maxLength: 6 });
const batches = fc.array(batch, { maxLength: 12 });

type Attached = { readonly id: SessionId; attachedAt: Zxid };

/** A replica, its sessions, and the records that it was given. */
class Original {
  readonly replica: Replica;
  readonly sessions: Attached[] = [];
  readonly records: Uint8Array[] = [];

  constructor(snapshotChunkBytes: number) {
    this.replica = new Replica({ snapshotChunkBytes });
    this.write([
      { kind: "open", timeoutMs: 4000 },
      { kind: "open", timeoutMs: 4000 },
    ]);
  }

  write(writes: readonly Write[]): readonly Effect[] {
    const operations = writes.map((each) => this.#operation(each));
    const record = this.replica.record(operations);
    this.records.push(record);
    const effects = this.replica.receive({ kind: "committed", records: [record] });
    for (const result of appliedOf(effects)[0]?.results ?? []) {
      if (result.kind !== "session") continue;
      const known = this.sessions.find(({ id }) => id === result.session);
      if (known === undefined)
        this.sessions.push({ id: result.session, attachedAt: result.attachedAt });
      else known.attachedAt = result.attachedAt;
    }
    return effects;
  }

  #operation(each: Write): Operation {
    if (each.kind === "open") {
      return { kind: "createSession", timeoutMs: each.timeoutMs, password: PASSWORD };
    }
    const attached = this.sessions[each.session % this.sessions.length];
    if (attached === undefined) throw new Error("there is a session");
    const { id, attachedAt } = attached;
    switch (each.kind) {
      case "client":
        return client(id, each.operation, attachedAt);
      case "attach":
        return {
          kind: "attachSession",
          session: id,
          timeoutMs: each.timeoutMs,
          password: PASSWORD,
        };
      default:
        return { kind: "expireSession", session: id, attachedAt };
    }
  }
}

/** What the digest does not hold: the names of children, and the running totals. */
function viewOf(replica: Replica): object {
  const figures = emittedOf(replica.receive({ kind: "reportMetrics" }), "metrics");
  return { figures, children: PATHS.map((path) => replica.children(path)) };
}

const plan = fc.record({
  chunkBytes: fc.constantFrom(1, 200, 500, 2000, 1_000_000),
  before: batches,
  /** Applied one after each chunk. */
  during: fc.array(fc.array(batch, { maxLength: 3 }), { maxLength: 20 }),
  after: batches,
});

test("a replica that loads the chunks is what the original was when the cut began, and stays equal on later records", (t) => {
  let chunksWithWrites = 0;
  fc.assert(
    fc.property(plan, ({ chunkBytes, before, during, after }) => {
      const original = new Original(chunkBytes);
      for (const writes of before) original.write(writes);
      const digest = original.replica.digest();
      const view = viewOf(original.replica);
      const { lastZxid: zxid, lastSeq: seq, submitter } = original.replica;
      const first = original.records.length;
      const chunks = cut(original.replica, (index) => {
        const turns = during[index] ?? [];
        for (const writes of turns) original.write(writes);
        if (turns.length > 0) chunksWithWrites += 1;
      });

      const copy = new Replica({ snapshotChunkBytes: chunkBytes });
      const loaded = loadedOf(load(copy, chunks));
      const submitters = [{ submitter, seq }];
      deepStrictEqual(loaded, { kind: "treeLoaded", lane: 0, zxid, submitters });
      equal(copy.digest(), digest);
      deepStrictEqual(viewOf(copy), view);

      for (const writes of after) original.write(writes);
      copy.receive({ kind: "committed", records: original.records.slice(first) });
      equal(copy.digest(), original.replica.digest());
      deepStrictEqual(viewOf(copy), viewOf(original.replica));
    }),
    { numRuns: RUNS },
  );
  t.true(chunksWithWrites > RUNS);
});

test("a snapshot cut by a replica that loaded one gives the same state again", (t) => {
  fc.assert(
    fc.property(batches, batches, (before, after) => {
      const original = new Original(500);
      for (const writes of before) original.write(writes);
      const copy = new Replica({ snapshotChunkBytes: 300 });
      load(copy, cut(original.replica));
      const first = original.records.length;
      for (const writes of after) original.write(writes);
      copy.receive({ kind: "committed", records: original.records.slice(first) });
      const second = new Replica();
      load(second, cut(copy));
      equal(second.digest(), original.replica.digest());
      deepStrictEqual(viewOf(second), viewOf(original.replica));
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

test("a record has the same results on a replica that loaded a snapshot as on the original", (t) => {
  fc.assert(
    fc.property(batches, batches, (before, after) => {
      const original = new Original(500);
      for (const writes of before) original.write(writes);
      const copy = new Replica();
      load(copy, cut(original.replica));
      for (const writes of after) {
        const effects = original.write(writes);
        const records = original.records.slice(-1);
        const copied = copy.receive({ kind: "committed", records });
        deepStrictEqual(appliedOf(copied), appliedOf(effects));
        deepStrictEqual(sessionsOf(copied), sessionsOf(effects));
        deepStrictEqual(copy.metrics(), original.replica.metrics());
      }
      equal(copy.digest(), original.replica.digest());
    }),
    { numRuns: RUNS },
  );
  t.pass();
});
