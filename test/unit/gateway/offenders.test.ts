/** Whose connections the native gateway has to end again and again, and whom it makes wait for that. */
import test from "ava";
import { NATIVE_VERSION } from "../../../protocol/native.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { NativeGatewayHarness, opened, PASSWORD, SESSION } from "../../support/native-gateway.ts";

test("a session whose connections have to be ended again and again is attached ever more seldom", (t) => {
  const harness = new NativeGatewayHarness();
  /** Attaches, and breaks a rule at once. Says whether that reached the log. */
  const offend = (number: number): boolean => {
    const inbox = `zooid.test.client.abc.${number}`;
    harness.tells();
    harness.ask(SESSION, undefined, inbox);
    if (!harness.tells().includes("submitter/1 write")) return false;
    attaches += 1;
    const attachedAt = (100 + number) as Zxid;
    const session = { kind: "session", session: SESSION, timeoutMs: 10_000, attachedAt } as const;
    const results = [{ ...session, password: PASSWORD }];
    harness.give({ kind: "written", client: attaches, zxids: [attachedAt], results });
    harness.frame(9, [{ kind: "ping" }], inbox);
    return true;
  };
  let attaches = 0;
  for (let number = 1; number <= 1_000; number += 1) {
    harness.nowMs += 10;
    offend(number);
  }
  t.true(attaches <= 9, `${attaches} records in ten seconds of a storm`);
  t.true(attaches >= 5);
  harness.tick(60_000);
  t.true(offend(1_001), "it is forgiven after a while");
});

test("whoever guesses a session's id cannot make its owner wait by breaking rules before the password is looked at", (t) => {
  const harness = opened();
  harness.verdict = undefined;
  for (let number = 1; number <= 20; number += 1) {
    const inbox = `zooid.test.client.thief.${number}`;
    harness.ask(SESSION, NATIVE_VERSION, inbox);
    harness.frame(9, [{ kind: "ping" }], inbox);
  }
  harness.verdict = "right";
  harness.tells();
  harness.ask(SESSION, NATIVE_VERSION, "zooid.test.client.owner.2");
  t.deepEqual(harness.tells(), ["submitter/1 write"], "the owner is attached at once");
});

test("a session whose connections are ended again and again while they are attached waits too", (t) => {
  const harness = new NativeGatewayHarness();
  let attaches = 0;
  for (let number = 1; number <= 100; number += 1) {
    const inbox = `zooid.test.client.abc.${number}`;
    harness.ask(SESSION, NATIVE_VERSION, inbox);
    if (harness.tells().includes("submitter/1 write")) attaches += 1;
    harness.frame(1, [{ kind: "ping" }], inbox);
  }
  t.is(attaches, 4, "each attach is a record on every disk");
  harness.ask(0, NATIVE_VERSION, "zooid.test.client.new.1");
  t.deepEqual(harness.tells(), ["submitter/1 write"], "a new session is none of them");
});
