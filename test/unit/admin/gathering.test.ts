/** Four-letter words whose answers are made of parts: whom the admin actor asks, and how it puts the parts together. */
import test from "ava";
import { adminActor, type AdminState } from "../../../actors/admin/admin.ts";
import type { AdminMessage, Part } from "../../../actors/admin/messages.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { WORD_ANSWER_BYTES_MAX, WORD_ASKED_MS_MAX } from "../../../protocol/limits.ts";
import type { Epoch } from "../../../protocol/zxid.ts";
import type { LocalEffect } from "../../../runtime/effects.ts";
import { DrivenActor, STILL } from "../../../runtime/testing/driven.ts";

type Question = { readonly kind: string; readonly question: number; readonly bytesMax?: number };
type Answer = { readonly to: string; readonly client: number; readonly text: string };
type Content = Partial<Pick<Part, "groups" | "omitted" | "watches" | "busy">>;

const NOON_MS = 1_795_867_200_000;

class Admin {
  nowMs = 1_000;
  readonly #actor: DrivenActor<AdminState, AdminMessage, LocalEffect<never>>;
  /** Asked and not answered yet, by actor. */
  readonly asked = new Map<string, Question>();
  readonly answers: Answer[] = [];

  constructor(role: "looking" | "leading" = "leading", lanes = 2) {
    const server = 1 as ServerId;
    const options = { server, voters: [server], startedMs: 0, lanes };
    this.#actor = new DrivenActor(adminActor(options), { ...STILL, nowMs: this.nowMs });
    const epoch = 3 as Epoch;
    this.tell({ kind: "leadership", role, epoch, leader: server, admission: "all" });
  }

  tell(message: AdminMessage): void {
    for (const effect of this.#actor.receive(message, { ...STILL, nowMs: this.nowMs })) {
      if (effect.kind !== "tell") continue;
      const { to } = effect;
      const told = effect.message as Question & Omit<Answer, "to">;
      if (told.kind === "adminAnswer") {
        this.answers.push({ to, client: told.client, text: told.text });
      } else this.asked.set(to, told);
    }
  }

  ask(word: string, client = 1): void {
    this.tell({ kind: "fourLetterWord", from: "zookeeper/1", client, word });
  }

  /** Answers the question that was put to the actor. */
  part(from: Part["from"], content: Content = {}, question?: number): void {
    const asked = this.asked.get(from);
    this.asked.delete(from);
    const number = question ?? asked?.question ?? -1;
    this.tell({ kind: "part", question: number, from, groups: [], omitted: 0, ...content });
  }

  get text(): string | undefined {
    return this.answers.at(-1)?.text;
  }
}

test("cons has the lines of every lane and an empty one at the end", (t) => {
  const admin = new Admin();
  admin.ask("cons");
  t.deepEqual([...admin.asked.keys()], ["zookeeper/1", "zookeeper/2"]);
  admin.part("zookeeper/1", { groups: [{ name: "", entries: [" /a", " /b"] }] });
  t.is(admin.text, undefined, "one lane has not answered");
  admin.part("zookeeper/2", { groups: [{ name: "", entries: [" /c"] }] });
  t.is(admin.text, " /a\n /b\n /c\n\n");
});

test("stat is answered when every lane has told who its clients are now", (t) => {
  const admin = new Admin();
  const report = (lane: number, ...clients: string[]): void => {
    const latencyMs = { min: 0, average: 0, max: 0 };
    const counts = {
      connections: clients.length,
      refused: 0,
      received: 0,
      sent: 0,
      outstanding: 0,
      slow: 0,
    };
    const gateway = `zookeeper/${lane}` as const;
    admin.tell({ kind: "gatewayReport", gateway, ...counts, latencyMs, clients });
  };
  report(1, " /a");
  report(2);
  admin.ask("stat");
  t.deepEqual([...admin.asked.keys()], ["zookeeper/1", "nats/1", "zookeeper/2", "nats/2"]);
  for (const from of ["zookeeper/1", "nats/1", "nats/2"] as const) admin.part(from);
  t.is(admin.text, undefined);
  report(2, " /b");
  admin.part("zookeeper/2");
  t.regex(admin.text ?? "", /\nClients:\n \/a\n \/b\n\n.*\nConnections: 2\n/s);
});

test("wchs adds up what the lanes have, in ZooKeeper's words", (t) => {
  const admin = new Admin();
  admin.ask("wchs");
  admin.part("zookeeper/1", { watches: { connections: 2, paths: 3, watches: 4 } });
  admin.part("zookeeper/2", { watches: { connections: 1, paths: 1, watches: 1 } });
  t.is(admin.text, "3 connections watching 4 paths\nTotal watches:5\n");
});

test("wchp has a path once that clients of several lanes watch", (t) => {
  const admin = new Admin();
  admin.ask("wchp");
  admin.part("zookeeper/2", { groups: [{ name: "/a", entries: ["0x3"] }] });
  admin.part("zookeeper/1", {
    groups: [
      { name: "/a", entries: ["0x1"] },
      { name: "/b", entries: ["0x1"] },
    ],
  });
  t.is(admin.text, "/a\n\t0x3\n\t0x1\n/b\n\t0x1\n\n");
});

test("wchc has the paths below each session", (t) => {
  const admin = new Admin("leading", 1);
  admin.ask("wchc");
  admin.part("zookeeper/1", { groups: [{ name: "0x1", entries: ["/a", "/b"] }] });
  t.is(admin.text, "0x1\n\t/a\n\t/b\n\n");
});

const EPHEMERALS = { groups: [{ name: "0x10", entries: ["/e1", "/e2"] }] };
const CONNECTIONS = {
  groups: [
    { name: NOON_MS + 9000, entries: ["ip: /10.0.0.1:5 sessionId: 0x10"] },
    { name: NOON_MS, entries: ["ip: /10.0.0.1:6 sessionId: 0x0"] },
  ],
};
const REST = `ephemeral nodes dump:
Sessions with Ephemerals (1):
0x10:
\t/e1
\t/e2
Connections dump:
Connections Sets (2)/(2):
1 expire at Sat Nov 28 12:00:00 UTC 2026:
\tip: /10.0.0.1:6 sessionId: 0x0
1 expire at Sat Nov 28 12:00:09 UTC 2026:
\tip: /10.0.0.1:5 sessionId: 0x10
`;

test("dump of a leader has sessions and connections by when they end, and ephemerals by session", (t) => {
  const admin = new Admin("leading", 1);
  admin.ask("dump");
  t.deepEqual([...admin.asked.keys()], ["sessions", "tree/1", "zookeeper/1"]);
  admin.part("zookeeper/1", CONNECTIONS);
  admin.part("tree/1", EPHEMERALS);
  admin.part("sessions", { groups: [{ name: NOON_MS, entries: ["0x10", "0x11"] }] });
  const sessions = `Session Sets (1)/(2):\n2 expire at Sat Nov 28 12:00:00 UTC 2026:\n\t0x10\n\t0x11\n`;
  t.is(admin.text, `SessionTracker dump:\n${sessions}${REST}`);
});

test("dump of a follower has sessions with their timeouts", (t) => {
  const admin = new Admin("leading", 1);
  admin.ask("dump");
  admin.part("zookeeper/1", CONNECTIONS);
  admin.part("tree/1", EPHEMERALS);
  admin.part("sessions", { groups: [{ name: "", entries: ["0x10\t4000ms", "0x11\t9000ms"] }] });
  const sessions = "Global Sessions(2):\n0x10\t4000ms\n0x11\t9000ms\n";
  t.is(admin.text, `SessionTracker dump:\n${sessions}${REST}`);
});

test("srst is done when both gateways of every lane have set back their counts, crst when those of ZooKeeper have", (t) => {
  const admin = new Admin();
  admin.ask("srst");
  const names = ["zookeeper/1", "nats/1", "zookeeper/2", "nats/2"] as const;
  t.deepEqual([...admin.asked.keys()], [...names]);
  for (const name of names) {
    t.is(admin.text, undefined);
    admin.part(name);
  }
  t.is(admin.text, "Server stats reset.\n");
  admin.ask("crst");
  t.deepEqual([...admin.asked.keys()], ["zookeeper/1", "zookeeper/2"]);
  admin.part("zookeeper/1");
  admin.part("zookeeper/2");
  t.is(admin.text, "Connection stats reset.\n");
});

test("what had no place is counted in the last line, and those who are asked share the place", (t) => {
  const admin = new Admin();
  admin.ask("wchc");
  const bytes = [...admin.asked.values()].map(({ bytesMax }) => bytesMax ?? 0);
  t.deepEqual(bytes, [WORD_ANSWER_BYTES_MAX / 2, WORD_ANSWER_BYTES_MAX / 2]);
  admin.part("zookeeper/1", { groups: [{ name: "0x1", entries: ["/a"] }], omitted: 7 });
  admin.part("zookeeper/2", { omitted: 2 });
  t.true(admin.text?.startsWith("0x1\n\t/a\n\n9 more are not listed: an answer has about "));
});

test("whoever asks while something is gathered waits, and shares the answer with others of the same word", (t) => {
  const admin = new Admin("leading", 1);
  admin.ask("wchs", 1);
  admin.ask("wchs", 2);
  admin.ask("cons", 3);
  admin.ask("wchs", 4);
  const first = admin.asked.get("zookeeper/1");
  admin.part("zookeeper/1");
  t.deepEqual(
    admin.answers.map(({ client }) => client),
    [1],
  );
  t.not(admin.asked.get("zookeeper/1")?.question, first?.question);
  admin.part("zookeeper/1");
  t.deepEqual(
    admin.answers.map(({ client }) => client),
    [1, 2, 4],
  );
  admin.part("zookeeper/1");
  t.deepEqual(
    admin.answers.map(({ client }) => client),
    [1, 2, 4, 3],
  );
});

test("an actor that never answers holds nothing up for long", (t) => {
  const admin = new Admin("leading", 1);
  admin.ask("cons", 1);
  const lost = admin.asked.get("zookeeper/1")?.question ?? 0;
  admin.nowMs += 5_000;
  admin.ask("cons", 2);
  admin.part("zookeeper/1", { groups: [{ name: "", entries: ["late"] }] }, lost);
  t.is(admin.text, undefined, "the part of an answer that nobody waits for any more");
  admin.ask("cons", 3);
  admin.nowMs += 5_000;
  admin.ask("wchs", 4);
  admin.part("zookeeper/1", {}, lost + 2);
  t.deepEqual(
    admin.answers.map(({ client }) => client),
    [3],
  );
});

test("who has waited for long for actors that never answer is forgotten", (t) => {
  const admin = new Admin("leading", 1);
  admin.ask("cons", 1);
  for (let client = 2; client < 1000; client += 1) admin.ask("wchs", client);
  admin.nowMs += WORD_ASKED_MS_MAX;
  admin.ask("wchs", 1000);
  admin.part("zookeeper/1");
  t.deepEqual(
    admin.answers.map(({ client }) => client),
    [1000],
  );
});

test("two parts of one actor are one", (t) => {
  const admin = new Admin();
  admin.ask("cons");
  const question = admin.asked.get("zookeeper/1")?.question ?? 0;
  admin.part("zookeeper/1", {}, question);
  admin.part("zookeeper/1", {}, question);
  t.is(admin.text, undefined);
});

test("a node without a leader asks nobody", (t) => {
  for (const word of ["cons", "dump", "wchs", "wchc", "wchp", "crst", "srst"]) {
    const admin = new Admin("looking");
    admin.ask(word);
    t.is(admin.asked.size, 0);
    t.is(admin.text, "This ZooKeeper instance is not currently serving requests\n");
  }
});

test("sess has the sessions of all gateways, and from the tree all that there are", (t) => {
  const admin = new Admin();
  admin.ask("sess");
  t.deepEqual(
    [...admin.asked.keys()],
    ["sessions", "tree/1", "zookeeper/1", "nats/1", "zookeeper/2", "nats/2"],
  );
  const bytes = [...admin.asked.values()].reduce((sum, { bytesMax = 0 }) => sum + bytesMax, 0);
  t.true(bytes <= WORD_ANSWER_BYTES_MAX);
  const entries = (...all: readonly string[]): Content => ({
    groups: [{ name: "", entries: all }],
  });
  admin.part("sessions", entries('["0x1",900]'));
  admin.part("tree/1", { ...entries('["0x1",10000,2]', '["0x2",10000,0]'), omitted: 4 });
  admin.part("zookeeper/1", entries('{"session":"0x1"}'));
  admin.part("nats/1", { omitted: 1 });
  admin.part("zookeeper/2");
  admin.part("nats/2", entries('{"session":"0x2"}'));
  t.deepEqual(JSON.parse(admin.text ?? ""), {
    node: 1,
    connected: [{ session: "0x1" }, { session: "0x2" }],
    known: [
      ["0x1", 10_000, 2],
      ["0x2", 10_000, 0],
    ],
    ends: [["0x1", 900]],
    omitted: 5,
  });
});

test("wtch asks every gateway about one thing, and who asks about another one waits for his own answer", (t) => {
  const admin = new Admin();
  const ask = (argument: string, client: number): void =>
    admin.tell({ kind: "fourLetterWord", from: "nats/1", client, word: "wtch", argument });
  ask("/a", 1);
  ask("0x10", 2);
  ask("/b", 3);
  ask("0x10", 4);
  const subjects: unknown[] = [];
  for (let round = 0; round < 3; round += 1) {
    const names = [...admin.asked.keys()] as Part["from"][];
    t.deepEqual(names, ["zookeeper/1", "nats/1", "zookeeper/2", "nats/2"]);
    subjects.push((admin.asked.get("nats/1") as unknown as { argument: unknown }).argument);
    for (const name of names) {
      admin.part(name, { groups: [{ name: "", entries: [`{"path":"${name}"}`] }], omitted: 1 });
    }
  }
  t.deepEqual(subjects, [
    { kind: "znode", path: "/a" },
    { kind: "session", session: 16, after: undefined },
    { kind: "znode", path: "/b" },
  ]);
  t.deepEqual(
    admin.answers.map(({ client }) => client),
    [1, 2, 4, 3],
  );
  const watches = ["zookeeper/1", "nats/1", "zookeeper/2", "nats/2"].map((path) => ({ path }));
  t.deepEqual(JSON.parse(admin.text ?? ""), { node: 1, watches, omitted: 4 });
});

test("busy adds up the counts and the windows of all gateways", (t) => {
  const admin = new Admin();
  admin.ask("busy");
  const counts = {
    ...{ connections: 1, received: 10, sent: 9, answered: 8, totalMs: 2.5, outstanding: 1 },
  };
  const window = {
    ...{ ms: 1000, requests: 5 },
    paths: [{ key: "/a", reads: 1, writes: 2 }],
    sessions: [{ key: 16, reads: 1, writes: 2 }],
    latencies: [
      [1, 2],
      [4, 1],
    ],
  } as const;
  admin.part("zookeeper/1", { busy: { counts, window } });
  const other = [{ key: "/b", reads: 4, writes: 0 }, ...window.paths];
  admin.part("nats/1", { busy: { counts, window: { ...window, ms: 1001, paths: other } } });
  admin.part("zookeeper/2", { busy: { counts, window: undefined } });
  admin.part("nats/2");
  t.deepEqual(JSON.parse(admin.text ?? ""), {
    ...{ node: 1, mode: "standalone", atMs: 1000 },
    ...{ connections: 3, received: 30, sent: 27, answered: 24, totalMs: 7.5, outstanding: 3 },
    window: {
      ...{ ms: 1001, requests: 10 },
      paths: [
        { key: "/a", reads: 2, writes: 4 },
        { key: "/b", reads: 4, writes: 0 },
      ],
      sessions: [{ key: "0x10", reads: 2, writes: 4 }],
      latencies: [
        [1, 4],
        [4, 2],
      ],
    },
  });
});
