/** What the API makes of the answers of several nodes: one row for each session, also of answers that are none. */
import test from "ava";
import type { SessionFacts } from "../../../actors/admin/messages.ts";
import { rowsOf, sessionsIn } from "../../../server/admin/api/sessions.ts";

function facts(session: string, more: Partial<SessionFacts> = {}): SessionFacts {
  return {
    ...{ session, address: "10.0.0.1:5", timeoutMs: 9000, received: 7, sent: 6, outstanding: 0 },
    ...{ identities: [], watches: 3, lastZxid: "0x100000005", lastOperation: "EXIS", ...more },
  };
}

function answer(more: object): string {
  return JSON.stringify({ node: 1, connected: [], known: [], ends: [], omitted: 0, ...more });
}

test("a session is where its client is, with what all nodes know and what the leader counts", (t) => {
  const known = [
    ["0x1", 9000, 2],
    ["0x2", 4000, 0],
  ];
  const texts = [
    answer({ known, ends: [["0x1", 800]] }),
    answer({ known, connected: [facts("0x1")] }),
  ];
  const answers = texts.map((text, index) => [index + 1, sessionsIn(text)] as const);
  const rows = rowsOf(new Map(answers.flatMap(([id, told]) => (told ? [[id, told]] : []))));
  t.is(rows.length, 2);
  t.like(rows[0], { session: "0x1", node: 2, ephemerals: 2, endsInMs: 800, watches: 3 });
  const nobody = { node: null, address: null, watches: null, endsInMs: null, received: null };
  t.like(rows[1], { session: "0x2", timeoutMs: 4000, ephemerals: 0, ...nobody });
});

test("of two nodes that have the client's connection, the one that answered it last has it", (t) => {
  const earlier = sessionsIn(answer({ connected: [facts("0x1", { lastZxid: "0xffffffff" })] }));
  const later = sessionsIn(answer({ connected: [facts("0x1")] }));
  if (earlier === undefined || later === undefined) throw new Error("no answers");
  for (const order of [
    new Map([
      [1, earlier],
      [2, later],
    ]),
    new Map([
      [2, later],
      [1, earlier],
    ]),
  ]) {
    t.is(rowsOf(order)[0]?.node, 2);
  }
});

test("a node of an earlier version does not say when sessions end, and who clients are", (t) => {
  const { identities: _, ...old } = facts("0x1");
  const told = sessionsIn(answer({ connected: [old], ends: undefined }));
  t.deepEqual([told?.ends, told?.connected[0]?.identities], [[], []]);
});

test("what is no answer of a node is none", (t) => {
  const wrong = [
    ...["", "null", "[]", "7", "This ZooKeeper instance is not currently serving requests\n"],
    ...[answer({ connected: 1 }), answer({ omitted: "1" }), answer({ connected: [null] })],
    ...[answer({ known: [["0x1", 1]] }), answer({ known: [["1", 1, 1]] }), answer({ ends: [[]] })],
    ...[answer({ connected: [facts("<img>")] }), answer({ ends: [["0x1", "soon"]] })],
    answer({ connected: [{ ...facts("0x1"), watches: "many" }] }),
    answer({ connected: [{ ...facts("0x1"), identities: [1] }] }),
    answer({ connected: [{ ...facts("0x1"), address: {} }] }),
  ];
  for (const text of wrong) t.is(sessionsIn(text), undefined, text);
});
