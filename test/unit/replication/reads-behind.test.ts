/** Reads that travel with the writes before them, by plain calls of the submitter. */
import test from "ava";
import type { SubmitterMessage } from "../../../actors/submitter/messages.ts";
import {
  submitterActor,
  type SubmitterEffect,
  type SubmitterState,
} from "../../../actors/submitter/submitter.ts";
import type { Operation } from "../../../protocol/operations.ts";
import type { ZnodeRead } from "../../../protocol/reads.ts";
import { epoch } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { at, Driven, server, told } from "../../support/plain-calls.ts";

type Submitter = Driven<SubmitterState, SubmitterMessage, SubmitterEffect>;

function ready(): Submitter {
  const submitter = new Driven(submitterActor({ server: server(1), lane: 1 }));
  submitter.chance = 0;
  submitter.receive({ kind: "incarnation", incarnation: 3 });
  const leadership = { kind: "leadership", role: "following", epoch: epoch(1) } as const;
  submitter.receive({ ...leadership, leader: server(2), admission: "all" });
  return submitter;
}

const READS: readonly ZnodeRead[] = [{ kind: "getData", path: "/a", watch: false }];

/** So many writes of a client, with reads behind the first `after` of them. */
function write(client: number, count: number, after?: number): SubmitterMessage {
  const operations = Array.from({ length: count }, (): Operation => {
    const operation = { kind: "sync", path: "/a" } as const;
    return { kind: "client", session: 7 as never, attachedAt: at(1, 1), operation };
  });
  const message = { kind: "write", from: "zookeeper/1", client, operations } as const;
  return after === undefined ? message : { ...message, travelling: [{ after, reads: READS }] };
}

function flush(submitter: Submitter): readonly Effect[] {
  return submitter.receive({ kind: "endOfTurn" });
}

test("reads go to the tree before their batch goes to the log, with their place in the batch", (t) => {
  const submitter = ready();
  submitter.receive(write(1, 2));
  submitter.receive(write(2, 3, 1));
  const effects = flush(submitter);
  t.deepEqual(
    effects.flatMap((effect) => (effect.kind === "tell" ? [effect.to] : [])),
    ["tree/1", "log-sync"],
  );
  t.like(told(effects, "tree/1"), [
    { kind: "readsBehind", incarnation: 3, seq: 1, behind: [{ client: 2, after: 3 }] },
  ]);
});

test("reads of a connection whose writes have left stand behind the last batch, and are told at once", (t) => {
  const submitter = ready();
  submitter.receive(write(1, 2));
  flush(submitter);
  const effects = submitter.receive(write(1, 0, 0));
  t.like(told(effects, "tree/1"), [{ kind: "readsBehind", seq: 1, behind: [{ after: 2 }] }]);
  t.deepEqual(told(flush(submitter), "log-sync"), [], "there is nothing to submit");
});

test("reads of a connection that has ended are told no more, and the tree forgets those that it has", (t) => {
  const submitter = ready();
  submitter.receive(write(1, 1, 1));
  submitter.receive(write(2, 1, 1));
  const effects = submitter.receive({ kind: "forget", from: "zookeeper/1", client: 1 });
  t.like(told(effects, "tree/1"), [{ kind: "forget", from: "zookeeper/1", client: 1 }]);
  t.like(told(flush(submitter), "tree/1"), [{ behind: [{ client: 2, after: 2 }] }]);
});

test("under another incarnation the tree is told the reads again, with the numbers that their batches have then", (t) => {
  const submitter = ready();
  submitter.receive(write(1, 1));
  flush(submitter);
  submitter.receive(write(1, 1, 1));
  submitter.receive(write(2, 1, 1));
  flush(submitter);
  submitter.receive({ kind: "forget", from: "zookeeper/1", client: 2 });
  const effects = submitter.receive({
    kind: "submitRefused",
    submitter: { server: server(1), lane: 1, incarnation: 3 },
    reason: "staleIncarnation",
    expected: 8,
  });
  const reads = told(effects, "tree/1") as { incarnation: number; seq: number; behind: object[] }[];
  t.like(reads, [{ incarnation: 9, seq: 2, behind: [{ client: 1, after: 1 }] }]);
  t.is(reads[0]?.behind.length, 1, "nobody waits for the other's any more");
});
