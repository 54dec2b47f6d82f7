/** What peers may say: every kind with every field right is let through, with any field wrong it is not. */
import { inspect } from "node:util";
import test from "ava";
import { peerCheck } from "../../actors/peer-messages.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { EPOCH_MAX } from "../../protocol/zxid.ts";
import { PEER_MESSAGES } from "../support/hostile-peers.ts";
import { server } from "../support/plain-calls.ts";

const check = peerCheck({ server: 1 as ServerId, voters: [1, 2, 3] as ServerId[] });
const said = Object.entries(PEER_MESSAGES).flatMap(([actor, messages]) =>
  messages.map((message) => ({ actor, message })),
);
const ask = (actor: string, message: unknown, from = 2, isAnswer = false): string | undefined =>
  check({ from: server(from), actor, message, isAnswer });

test("what nodes say to each other is let through", (t) => {
  for (const { actor, message } of said)
    t.is(ask(actor, message), undefined, String(message["kind"]));
  const pong = { kind: "pong", epoch: 1, leading: true, atMs: 0.5, confirmed: undefined };
  t.is(ask("heartbeat", pong, 2, true), undefined);
  t.is(ask("heartbeat", { kind: "pong", epoch: 1, leading: false }, 2, true), undefined);
});

test("a message with any one field of another type, or missing, is refused with the field's name", (t) => {
  const wrong = [null, "x", -1, 0.5, Number.NaN, 2 ** 60, {}, [[]], new Uint8Array(0)];
  const optional = new Set([
    ...["ping echoMs", "surveyed leads", "greeting configuration"],
    ...["joinAnswer reason", "joinAnswer configuration", "append asks"],
  ]);
  // Any bytes are right here, and half a millisecond is a time.
  const free = (name: string, value: unknown): boolean =>
    (name === "bytes" && value instanceof Uint8Array) ||
    (name === "reason" && value === "x") ||
    (name === "echoMs" && typeof value === "number" && Math.abs(value) < 2 ** 53);
  for (const { actor, message } of said) {
    for (const name of Object.keys(message).filter((each) => each !== "kind")) {
      for (const value of wrong) {
        if (free(name, value) && message["kind"] !== "submitRefused") continue;
        const reason = ask(actor, { ...message, [name]: value });
        t.true(
          reason?.includes(name),
          `${String(message["kind"])}.${name} = ${inspect(value)}: ${reason}`,
        );
      }
      const { [name]: _, ...rest } = message;
      t.is(
        ask(actor, rest) === undefined,
        optional.has(`${String(message["kind"])} ${name}`),
        `${String(message["kind"])} without ${name}`,
      );
    }
  }
});

test("peers reach the three actors that hear them, with their own kinds, and no other", (t) => {
  const actors = ["admin", "log", "sessions", "tree/1", "submitter/1", "zookeeper/1", "nats/1"];
  for (const { actor, message } of said) {
    for (const other of [...actors, "nobody", "constructor", "__proto__", ""]) {
      t.truthy(ask(other, message), `${String(message["kind"])} to ${other}`);
    }
    for (const other of Object.keys(PEER_MESSAGES).filter((each) => each !== actor)) {
      t.truthy(ask(other, message));
    }
    t.truthy(ask(actor, message, 2, true), "no answer");
  }
  for (const kind of ["leadership", "recovered", "timer", "received", "constructor", "__proto__"]) {
    t.is(ask("log-sync", { kind }), "its kind is not for peers");
  }
});

test("who is no other node of the ensemble is not heard, this node's own name among them", (t) => {
  for (const from of [0, 1, 4, 255, Number.NaN]) {
    t.is(
      ask("log-sync", { kind: "survey", nonce: 1 }, from),
      "its sender is no other node of this ensemble",
    );
  }
});

test("a node speaks for itself, and of zxids that its epoch can have", (t) => {
  const append = PEER_MESSAGES["log-sync"]?.find(({ kind }) => kind === "append");
  t.truthy(ask("log-sync", { ...append, leader: 3 }));
  t.truthy(ask("log-sync", { ...append, committed: 2 * 2 ** 32 }));
  t.truthy(ask("log-sync", { ...append, asks: { durable: 2 * 2 ** 32, counted: [] } }));
  t.truthy(ask("log-sync", { ...append, asks: { durable: 0, counted: [2 ** 53] } }));
  t.truthy(ask("log-sync", { ...append, asks: { durable: 0 } }));
  t.truthy(ask("log-sync", { kind: "promiseRequest", epoch: 2, candidate: 3 }));
  t.truthy(ask("log-sync", { kind: "promiseRequest", epoch: EPOCH_MAX + 1, candidate: 2 }));
  t.is(ask("log-sync", { kind: "promiseRequest", epoch: EPOCH_MAX, candidate: 2 }), undefined);
});
