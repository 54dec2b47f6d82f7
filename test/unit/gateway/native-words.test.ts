/** Four-letter words over NATS: who may ask which, where the answers go, and what the gateway tells of its sessions. */
import test from "ava";
import type { Part, SessionFacts, WatchFacts } from "../../../actors/admin/messages.ts";
import {
  WORD_ARGUMENT_BYTES_MAX,
  WORD_ASKED_MS_MAX,
  WORD_ASKERS_MAX,
} from "../../../protocol/limits.ts";
import { WORD_WITH_ARGUMENT, WORDS_OVER_NATS } from "../../../protocol/zookeeper/words.ts";
import type { WordArgument } from "../../../protocol/zookeeper/word-argument.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { INBOX, NativeGatewayHarness, opened, SESSION } from "../../support/native-gateway.ts";

type Asked = { readonly kind: string; readonly client: number; readonly word: string };

function ask(
  gateway: NativeGatewayHarness,
  word: string,
  { reply = INBOX, subject = "zooid.test.gateway.all.word" } = {},
): void {
  const bytes = new TextEncoder().encode(word);
  gateway.give({ kind: "clientMessage", subject, reply, bytes });
}

/** What the admin actor was asked since the last call. */
function asked(gateway: NativeGatewayHarness): Asked[] {
  const effects = gateway.effects.splice(0);
  return effects.flatMap((effect) =>
    effect.kind === "tell" && effect.to === "admin" ? [effect.message as Asked] : [],
  );
}

/** What was published since the last call. */
function answers(gateway: NativeGatewayHarness): (readonly [subject: string, text: string])[] {
  return gateway.effects
    .splice(0)
    .flatMap((effect) =>
      effect.kind === "publish"
        ? [[effect.subject, new TextDecoder().decode(effect.bytes)] as const]
        : [],
    );
}

test("a node that serves nobody yet answers words, with its number, to who asked", (t) => {
  const gateway = new NativeGatewayHarness({ serves: false });
  for (const subject of ["zooid.test.gateway.all.word", "zooid.test.gateway.1.word"]) {
    for (const word of WORDS_OVER_NATS) {
      ask(gateway, word === WORD_WITH_ARGUMENT ? `${word} /a` : word, { subject });
      const [question] = asked(gateway);
      t.like(question, { kind: "fourLetterWord", from: "nats/1", word });
      gateway.give({ kind: "adminAnswer", client: question?.client ?? 0, text: 'so "it" is\n' });
      const text = JSON.stringify({ node: 1, members: [1], text: 'so "it" is\n' });
      t.deepEqual(answers(gateway), [[INBOX, text]]);
    }
  }
});

test("words that change something or tell of the configuration, and what is none, are not asked", (t) => {
  const gateway = opened();
  for (const word of ["crst", "stmk", "conf", "", "srv", "srvrs", "\u0000\u0001\u0002\u0003"]) {
    ask(gateway, word);
    t.deepEqual(
      gateway.effects.filter(({ kind }) => kind === "tell"),
      [],
    );
    t.regex(
      answers(gateway)[0]?.[1] ?? "",
      /not among srvr, mntr, busy, elec, heat, sess, slow, wtch/,
    );
  }
});

test("nothing is published where it was not a client's inbox that asked", (t) => {
  const gateway = opened();
  for (const reply of ["", "zooid.test.peer.1.log-sync", "zooid.other.client.a.1"]) {
    ask(gateway, "srvr", { reply });
    ask(gateway, "none", { reply });
  }
  t.deepEqual(gateway.effects, []);
});

test("of many who wait at once the last is answered that it is one too many, until they have waited for long", (t) => {
  const gateway = opened();
  const askOf = (number: number): void => {
    ask(gateway, "srvr", { reply: `zooid.test.client.many.${number}` });
  };
  for (let number = 0; number < WORD_ASKERS_MAX; number += 1) askOf(number);
  const clients = asked(gateway).map(({ client }) => client);
  t.is(new Set(clients).size, WORD_ASKERS_MAX);
  askOf(1000);
  t.true(gateway.effects.every(({ kind }) => kind !== "tell"));
  const [refusal] = answers(gateway);
  t.is(refusal?.[0], "zooid.test.client.many.1000");
  t.regex(refusal?.[1] ?? "", /too many ask at once/);
  gateway.nowMs += WORD_ASKED_MS_MAX - 1;
  gateway.give({ kind: "adminAnswer", client: clients[0] ?? 0, text: "" });
  t.is(answers(gateway)[0]?.[0], "zooid.test.client.many.0");
  gateway.give({ kind: "adminAnswer", client: clients[0] ?? 0, text: "twice" });
  t.deepEqual(answers(gateway), []);
  askOf(1001);
  const [newest] = asked(gateway);
  gateway.nowMs += 1;
  askOf(1002);
  t.is(asked(gateway).length, 1, "those who have waited for long have made place");
  gateway.give({ kind: "adminAnswer", client: clients[1] ?? 0, text: "late" });
  t.deepEqual(answers(gateway), []);
  gateway.give({ kind: "adminAnswer", client: newest?.client ?? 0, text: "" });
  t.is(answers(gateway)[0]?.[0], "zooid.test.client.many.1001");
});

test("a word is no frame of a connection: the client's own requests go on", (t) => {
  const gateway = opened();
  ask(gateway, "srvr");
  gateway.effects.length = 0;
  gateway.say({ kind: "ping" });
  t.like(gateway.published()[0], { kind: "pong" });
});

test("the sessions of native clients are listed up to so many bytes", (t) => {
  const gateway = opened();
  for (let number = 2; number <= 100; number += 1) gateway.openAnother(number);
  const list = (bytesMax: number): Part => {
    gateway.give({ kind: "listConnectedSessions", question: 5, bytesMax });
    return asked(gateway)[0] as unknown as Part;
  };
  const all = list(100_000);
  t.is(all.omitted, 0);
  const entries = all.groups.flatMap((group) => group.entries);
  t.is(entries.length, 100);
  t.like(JSON.parse(entries[0] ?? "") as SessionFacts, {
    ...{ session: `0x${SESSION.toString(16)}`, address: null, timeoutMs: 10_000, watches: 0 },
  });
  const some = list(1000);
  t.is(some.groups.flatMap((group) => group.entries).length + some.omitted, 100);
  t.true(some.omitted > 50);
});

test("wtch is about a path or a session, and what is neither is not asked", (t) => {
  const gateway = opened();
  const wrong = ["", " ", "/a", " a", " 0x", " 0xzz", " 0x123456789012345", " 0x1 a", " 10"];
  for (const behind of [...wrong, ` /${"a".repeat(WORD_ARGUMENT_BYTES_MAX)}`]) {
    ask(gateway, `wtch${behind}`);
    t.deepEqual(
      gateway.effects.filter(({ kind }) => kind === "tell"),
      [],
    );
    t.regex(answers(gateway)[0]?.[1] ?? "", /wtch is about a path or a session/);
  }
  for (const argument of ["/", "/caf\u{e9} \n", "0x100000001"]) {
    ask(gateway, `wtch ${argument}`);
    t.like(asked(gateway)[0], { kind: "fourLetterWord", word: "wtch", argument });
  }
});

test("the streams of a native client are found by the znodes that they hear of, and by its session", (t) => {
  const gateway = opened();
  const open = (stream: number, path: string, recursive: boolean | "children"): void =>
    gateway.say({ kind: "openStream", stream, path, recursive, after: 0 as Zxid, credits: 10 });
  open(1, "/a", false);
  open(2, "/", true);
  open(3, "/a", "children");
  const find = (argument: WordArgument): (readonly [string, string])[] => {
    gateway.effects.splice(0);
    gateway.give({ kind: "findWatches", question: 5, argument, bytesMax: 100_000 });
    const [part] = asked(gateway) as unknown as Part[];
    return (part?.groups.flatMap(({ entries }) => entries) ?? []).map((entry) => {
      const { session, address, path, watches } = JSON.parse(entry) as WatchFacts;
      t.deepEqual([session, address], [`0x${SESSION.toString(16)}`, null]);
      return [path, watches];
    });
  };
  const all = [
    ["/a", "stream"],
    ["/", "subtreeStream"],
    ["/a", "subtreeStream"],
  ] as const;
  t.deepEqual(find({ kind: "znode", path: "/a" }), [...all]);
  t.deepEqual(find({ kind: "znode", path: "/a/b" }), [...all.slice(1)]);
  t.deepEqual(find({ kind: "znode", path: "/a/b/c" }), [...all.slice(1, 2)]);
  t.deepEqual(find({ kind: "session", session: SESSION, after: undefined }), [...all]);
  const other = (SESSION + 1) as typeof SESSION;
  t.deepEqual(find({ kind: "session", session: other, after: undefined }), []);
});
