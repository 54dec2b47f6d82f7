/** Reads that wait for writes are let go when their connections end, one by one or all at once. */
import test from "ava";
import type { ReadsBehind } from "../../../actors/tree/messages.ts";
import { connectionEnded, readsOfOthers } from "../../../actors/waiting-reads.ts";
import { growthOf, RATIO_MAX, timed } from "../../support/cost.ts";

function readOf(client: number): ReadsBehind {
  return { after: 1, from: "nats/1", client, reads: [] };
}

function readsOf(count: number): ReadsBehind[] {
  return Array.from({ length: count }, (_, client) => readOf(client));
}

test("only the reads of connections that have ended are left out", (t) => {
  const ended = new Set<string>();
  const list = { behind: readsOf(5) };
  for (const client of [1, 3]) connectionEnded(ended, { from: "nats/1", client }, [list]);
  connectionEnded(ended, { from: "zookeeper/1", client: 0 }, [list]);
  const left = readsOfOthers(ended, list.behind).map(({ client }) => client);
  t.deepEqual(left, [0, 2, 4]);
});

test("when many have ended, their reads and what was remembered of them are let go", (t) => {
  const ended = new Set<string>();
  const lists = [{ behind: readsOf(1000) }, { behind: readsOf(1000) }];
  for (let client = 0; client < 1999; client += 1) {
    connectionEnded(ended, { from: "nats/1", client }, lists);
    const waiting = lists.reduce((sum, { behind }) => sum + behind.length, 0);
    t.true(ended.size < Math.max(64, waiting));
  }
  connectionEnded(ended, { from: "nats/1", client: 1999 }, lists);
  t.deepEqual(lists, [{ behind: [] }, { behind: [] }]);
});

test("nothing is remembered while no reads wait", (t) => {
  const ended = new Set(["nats/1 7"]);
  connectionEnded(ended, { from: "nats/1", client: 8 }, [{ behind: [] }]);
  t.is(ended.size, 0);
});

test("the end of all connections costs what their number does", (t) => {
  const costMs = (count: number): number => {
    const ended = new Set<string>();
    const lists = [{ behind: readsOf(count) }];
    return timed(() => {
      for (let client = count - 1; client >= 0; client -= 1) {
        connectionEnded(ended, { from: "nats/1", client }, lists);
      }
    });
  };
  const { ratio, text } = growthOf(costMs, 1000);
  t.true(ratio < RATIO_MAX, text);
});
