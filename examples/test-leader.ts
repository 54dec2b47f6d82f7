/**
 * How a program that uses `zooid/client` is unit-tested, here with the runner of Node: the ensemble and the client are real, time and
 * network are virtual, so half a minute of waiting takes a few milliseconds.
 *
 *     node --conditions=source --test examples/test-leader.ts
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { Client } from "zooid/client";
import { startTestEnsemble } from "zooid/testing";

/** The program: whoever has the lowest number leads. */
async function nominate(client: Client, name: string): Promise<string> {
  const options = { ephemeral: true, sequential: true };
  return (await client.create("/candidates/c-", name, options)).path;
}

async function leaderOf(client: Client): Promise<string> {
  const { children } = await client.children("/candidates");
  const { data } = await client.get(`/candidates/${children.toSorted()[0]}`);
  return new TextDecoder().decode(data ?? undefined);
}

test("the next candidate leads when the leader's process stands still for too long", async () => {
  await using ensemble = await startTestEnsemble({ nodes: 3 });
  const [ann, bob] = [await ensemble.connect(), await ensemble.connect()];
  await ann.create("/candidates");
  await nominate(ann, "ann");
  await nominate(bob, "bob");
  assert.equal(await leaderOf(bob), "ann");
  await ensemble.pause(ann, 30_000);
  await ensemble.advance(15_000);
  assert.equal(await leaderOf(bob), "bob");
  await ensemble.advance(15_000);
  await assert.rejects(ann.get("/candidates"), { code: "ZOOID_SESSION_EXPIRED" });
});

test("a leader that is cut off from the ensemble is replaced, a node that dies changes nothing", async () => {
  await using ensemble = await startTestEnsemble({ nodes: 3 });
  const [ann, bob] = [await ensemble.connect(), await ensemble.connect()];
  await ann.create("/candidates");
  await nominate(ann, "ann");
  await nominate(bob, "bob");
  await ensemble.kill("leader");
  assert.equal(await leaderOf(bob), "ann");
  await ensemble.partition([ann]);
  await ensemble.advance(15_000);
  assert.equal(await leaderOf(bob), "bob");
});
