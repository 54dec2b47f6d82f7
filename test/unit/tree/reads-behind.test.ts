/** Reads that stand behind writes of the lane's own batches, by plain calls of the tree. */
import test from "ava";
import type { ReadsBehind } from "../../../actors/tree/messages.ts";
import type { ZnodeRead } from "../../../protocol/reads.ts";
import { client, create, Replica, setData, toldOf } from "../../support/replica.ts";
import type { Effect } from "../../../runtime/effects.ts";

function behind(after: number, path: string, of: Partial<ReadsBehind> = {}): ReadsBehind {
  const reads: readonly ZnodeRead[] = [{ kind: "getData", path, watch: false }];
  return { after, from: "zookeeper/1", client: 9, reads, ...of };
}

/** Tells the tree reads behind the batch that is committed next, or behind one after it. */
function tell(replica: Replica, list: readonly ReadsBehind[], ahead = 1): readonly Effect[] {
  const { incarnation } = replica.submitter;
  const seq = replica.lastSeq + ahead;
  return replica.receive({ kind: "readsBehind", incarnation, seq, behind: list });
}

function answers(effects: readonly Effect[]): string[] {
  return toldOf(effects).flatMap(({ message }) =>
    message.kind === "readDone" ? message.results.map(shown) : [],
  );
}

function shown(result: { readonly kind: string; readonly data?: Uint8Array | null }): string {
  const { kind, data } = result;
  return kind === "data" ? Buffer.from(data ?? []).toString() : kind;
}

/** A tree with `/a`, and a session that writes to it. */
function tree(): { replica: Replica; set: (value: string) => ReturnType<typeof client> } {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  return { replica, set: (value) => client(session, setData("/a", Buffer.from(value))) };
}

test("a read sees the write before it in its batch, and nothing of the next", (t) => {
  const { replica, set } = tree();
  t.deepEqual(answers(tell(replica, [behind(1, "/a"), behind(2, "/a")])), []);
  t.deepEqual(answers(replica.commit(set("1"), set("2"), set("3"))), ["1", "2"]);
});

test("reads behind a batch that is applied already are answered at once", (t) => {
  const { replica, set } = tree();
  replica.commit(set("1"));
  t.deepEqual(answers(tell(replica, [behind(1, "/a")], 0)), ["1"]);
});

test("reads that come for a batch in two messages are answered with it, not with one before it", (t) => {
  const { replica, set } = tree();
  tell(replica, [behind(1, "/a")], 2);
  tell(replica, [behind(1, "/a")], 2);
  t.deepEqual(answers(replica.commit(set("1"))), []);
  t.deepEqual(answers(replica.commit(set("2"))), ["2", "2"]);
});

test("nothing is answered to a connection that has ended", (t) => {
  const { replica, set } = tree();
  tell(replica, [behind(1, "/a"), behind(1, "/a", { client: 10 })]);
  replica.receive({ kind: "forget", from: "zookeeper/1", client: 9 });
  const effects = replica.commit(set("1"));
  t.deepEqual(
    toldOf(effects).flatMap(({ message }) => (message.kind === "readDone" ? [message.client] : [])),
    [10],
  );
});

test("reads of an earlier incarnation are dropped when a batch of a later one is applied", (t) => {
  const { replica, set } = tree();
  tell(replica, [behind(1, "/a")], 5);
  Object.assign(replica.submitter, { incarnation: 2 });
  replica.lastSeq = 0;
  t.deepEqual(answers(replica.commit(set("1"))), []);
  t.deepEqual(answers(tell(replica, [behind(1, "/a")], 0)), ["1"]);
});
