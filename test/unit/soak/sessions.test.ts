/** The checkers of what sessions see and own find every planted violation, and none in a history without one. */
import test from "ava";
import { Ephemerals, SessionView } from "../../soak/sessions.ts";
import { Violations } from "../../soak/violations.ts";

const rules = (violations: Violations): readonly string[] => [...violations.counts.keys()];

function viewed(act: (view: SessionView) => void): readonly string[] {
  const violations = new Violations();
  act(new SessionView(violations, "session 1"));
  return rules(violations);
}

test("a session that sees versions and zxids grow, and events before changes, is in order", (t) => {
  const found = viewed((view) => {
    view.replied(1n, "read");
    view.replied(1n, "read");
    view.saw("/a", 1);
    view.watch("/a", 1);
    view.saw("/a", 1);
    view.fired("/a");
    view.saw("/a", 2);
    view.replied(2n, "read");
  });
  t.deepEqual(found, []);
});

test("a reply at an earlier zxid is reported", (t) => {
  const found = viewed((view) => {
    view.replied(2n, "read");
    view.replied(1n, "read");
  });
  t.deepEqual(found, ["read-back"]);
});

test("a read that goes back to an earlier version is reported", (t) => {
  const found = viewed((view) => {
    view.saw("/a", 2);
    view.saw("/a", 1);
  });
  t.deepEqual(found, ["read-back"]);
});

test("a change that is seen before the event of its watch is reported", (t) => {
  const found = viewed((view) => {
    view.saw("/a", 1);
    view.watch("/a", 1);
    view.saw("/a", 2);
  });
  t.deepEqual(found, ["watch-missed"]);
});

test("an event without a watch, and one without a change, are reported", (t) => {
  t.deepEqual(
    viewed((view) => view.fired("/a")),
    ["watch-invented"],
  );
  const found = viewed((view) => {
    view.watch("/a", 1);
    view.fired("/a");
    view.saw("/a", 1);
  });
  t.deepEqual(found, ["watch-invented"]);
});

function owned(act: (ephemerals: Ephemerals) => void): readonly string[] {
  const violations = new Violations();
  const ephemerals = new Ephemerals(violations);
  ephemerals.opened(1n);
  ephemerals.created("/live/a", 1n);
  ephemerals.created("/live/b", 1n);
  act(ephemerals);
  return rules(violations);
}

const A = { path: "/live/a", owner: 1n };
const B = { path: "/live/b", owner: 1n };

test("ephemeral nodes of a live session are there until they are deleted", (t) => {
  const found = owned((ephemerals) => {
    ephemerals.final("node 1", [A, B]);
    ephemerals.deleting("/live/b");
    ephemerals.final("node 1", [A, B]);
    ephemerals.deleted("/live/b");
    ephemerals.final("node 1", [A]);
    t.deepEqual(ephemerals.over(1n), ["/live/a", "/live/b"]);
    ephemerals.final("node 1", []);
  });
  t.deepEqual(found, []);
});

test("an ephemeral node that is gone while its session lives is reported", (t) => {
  t.deepEqual(
    owned((ephemerals) => ephemerals.final("node 1", [A])),
    ["ephemeral"],
  );
});

test("ephemeral nodes of sessions that are over, abandoned or unknown are reported", (t) => {
  const over = owned((ephemerals) => {
    ephemerals.over(1n);
    ephemerals.final("node 1", [A]);
  });
  const abandoned = owned((ephemerals) => {
    ephemerals.abandoned(1n);
    ephemerals.final("node 1", [A]);
  });
  const unknown = owned((ephemerals) => {
    ephemerals.final("node 1", [A, B, { path: "/live/c", owner: 2n }]);
  });
  t.deepEqual([over, abandoned, unknown], [["ephemeral"], ["ephemeral"], ["ephemeral"]]);
});

test("an ephemeral node that was deleted and is there is reported", (t) => {
  const found = owned((ephemerals) => {
    ephemerals.deleting("/live/a");
    ephemerals.deleted("/live/a");
    ephemerals.final("node 1", [A, B]);
  });
  t.deepEqual(found, ["lost-write"]);
});

test("a session that expires while its client counts on it is reported, whoever notices", (t) => {
  const silence = { sinceMs: 1000, timeoutMs: 6000 };
  const seenGone = (atMs: number): readonly string[] =>
    owned((ephemerals) => {
      ephemerals.abandoned(1n, silence);
      ephemerals.sawGone("/live/a", 1n, atMs);
    });
  const told = (atMs: number): readonly string[] =>
    owned((ephemerals) => ephemerals.expired("client-1", 1n, silence, atMs));
  t.deepEqual([seenGone(4999), told(4999)], [["expired-early"], ["expired-early"]]);
  t.deepEqual([seenGone(5000), told(5000)], [[], []]);
});

test("an ephemeral node that its own client deleted may go at any time", (t) => {
  const found = owned((ephemerals) => {
    ephemerals.deleting("/live/a");
    ephemerals.abandoned(1n, { sinceMs: 1000, timeoutMs: 6000 });
    ephemerals.sawGone("/live/a", 1n, 1001);
  });
  t.deepEqual(found, []);
});

test("an ephemeral node that is seen after the end of its session is reported", (t) => {
  t.deepEqual(
    owned((ephemerals) => ephemerals.seenAfterEnd("/live/a")),
    ["ephemeral"],
  );
});
