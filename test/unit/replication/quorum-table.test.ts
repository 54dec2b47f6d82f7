/** What is committed, by tables: how far each log is durable, and what that commits. */
import test from "ava";
import { committedBy, quorumOf } from "../../../actors/quorum.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

test("a quorum is more than half", (t) => {
  const table = [1, 2, 3, 4, 5, 6, 7].map((voters) => [voters, quorumOf(voters)]);
  t.deepEqual(table, [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ]);
});

/** How far each log that counts is durable, of how many voters, and what is committed by that. */
const COMMITTED: readonly (readonly [durable: readonly number[], voters: number, by: number])[] = [
  [[], 1, 0],
  [[7], 1, 7],
  [[7], 2, 0],
  [[7, 5], 2, 5],
  [[7], 3, 0],
  [[7, 5], 3, 5],
  [[5, 7], 3, 5],
  [[7, 5, 3], 3, 5],
  [[3, 3, 9], 3, 3],
  [[9, 9, 3], 3, 9],
  [[9, 7, 5, 3], 4, 5],
  [[9, 7], 5, 0],
  [[9, 7, 5], 5, 5],
  [[9, 9, 9, 1, 1], 5, 9],
  [[1, 1, 1, 9, 9], 5, 1],
  [[0, 0, 9, 8, 7], 5, 7],
];

for (const [durable, voters, by] of COMMITTED) {
  test(`logs durable to ${durable.join(", ") || "nowhere"} of ${voters} voters commit ${by}`, (t) => {
    t.is(committedBy(durable as readonly Zxid[], quorumOf(voters)), by as Zxid);
  });
}
