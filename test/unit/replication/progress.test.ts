/** A leader's view of a follower: when what it says is news, and what comes after it has acknowledged something. */
import test from "ava";
import {
  awaitsRead,
  isNews,
  newFollowers,
  type Replication,
  stepAfter,
} from "../../../actors/log-sync/progress.ts";
import { at, server } from "../../support/plain-calls.ts";

const NOW_MS = 10_000;
const streaming: Replication = { kind: "streaming" };
const installing: Replication = { kind: "installingSnapshot" };
const replaying: Replication = { kind: "replaying", from: at(1, 4), next: at(1, 8), atMs: NOW_MS };
const reading: Replication = { kind: "readingLog", from: at(1, 4), atMs: NOW_MS };

test("every other voter begins as one that takes what is broadcast, and holds nothing that is known", (t) => {
  const followers = newFollowers({ voters: [1, 2, 3].map(server), server: server(2) }, NOW_MS);
  t.deepEqual([...followers.keys()], [1, 3]);
  t.like(followers.get(server(1)), { accepted: 0, replication: streaming, identity: undefined });
});

test("that a follower is behind is news while nothing is on its way to it", (t) => {
  t.true(isNews(streaming, at(1, 4), NOW_MS));
  t.true(isNews(installing, at(1, 4), NOW_MS));
});

test("what a follower said before it got what is on its way is no news", (t) => {
  t.false(isNews(replaying, at(1, 4), NOW_MS));
  t.false(isNews(replaying, at(1, 7), NOW_MS));
  t.false(isNews(reading, at(1, 4), NOW_MS));
  t.false(isNews(reading, at(1, 9), NOW_MS), "it is read once");
});

test("that it holds less than was thought is news, and that it holds all that was sent", (t) => {
  t.true(isNews(replaying, at(1, 3), NOW_MS));
  t.true(isNews(reading, at(1, 3), NOW_MS));
  t.true(isNews(replaying, at(1, 8), NOW_MS));
});

test("what led to nothing for 300 ms is sent again", (t) => {
  t.false(isNews(replaying, at(1, 4), NOW_MS + 299));
  t.true(isNews(replaying, at(1, 4), NOW_MS + 300));
  t.true(isNews(reading, at(1, 4), NOW_MS + 300));
});

test("a follower that has acknowledged all that was sent to it gets the rest, or goes on with the others", (t) => {
  t.is(stepAfter(replaying, at(1, 7), at(1, 9)), undefined);
  t.deepEqual(stepAfter(replaying, at(1, 8), at(1, 9)), { kind: "send", after: at(1, 8) });
  t.deepEqual(stepAfter(replaying, at(1, 8), at(1, 8)), { kind: "streaming" });
  for (const other of [streaming, installing, reading]) {
    t.is(stepAfter(other, at(1, 8), at(1, 9)), undefined, other.kind);
  }
});

test("records of a read that was replaced by another are not what is waited for", (t) => {
  t.true(awaitsRead(reading, at(1, 4)));
  t.false(awaitsRead(reading, at(1, 2)));
  t.false(awaitsRead(replaying, at(1, 4)));
});
