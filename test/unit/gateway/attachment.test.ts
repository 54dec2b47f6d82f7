/** How a connection comes to its session and loses it, as a plain object: phases, and what news of the session does in each. */
import test from "ava";
import {
  type Attachable,
  type Attachment,
  enter,
  enterClosing,
  followSessions,
  newSessions,
  servedBy,
  type Sessions,
  timeoutMsOf,
} from "../../../actors/gateway/attachment.ts";
import { SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

type Connection = Attachable & { readonly name: string };
type Phase = Connection["phase"];

const SESSION = 7 as SessionId;
const TIMEOUT_MS = 9_000;
const wish = { session: SESSION, password: new Uint8Array(16), timeoutMs: TIMEOUT_MS };

const checking: Phase = { kind: "checking", wish, sinceMs: 0 };
const attaching = (): Phase => ({ kind: "attaching", wish, supersededAt: 0 });
const attached = (attachedAt: number): Phase => ({
  kind: "attached",
  session: SESSION,
  attachedAt: attachedAt as Zxid,
  timeoutMs: TIMEOUT_MS,
});
const ended: Phase = { kind: "ended" };

function connection(name: string): Connection {
  return { name, phase: { kind: "opened" }, leaderHeardMs: 0 };
}

/** A connection that has gone through these phases. */
function through(sessions: Sessions<Connection>, name: string, ...phases: Phase[]): Connection {
  const each = connection(name);
  for (const phase of phases) enter(sessions, each, phase);
  return each;
}

function sizes({ holders, attaching: under, impossible, withheld }: Sessions<Connection>): object {
  return {
    holders: holders.size,
    attaching: under.size,
    impossible: impossible.size,
    withheld: withheld.size,
  };
}

const NOBODY = { holders: 0, attaching: 0, impossible: 0, withheld: 0 };

test("a connection holds its session from when it is attached until it has ended", (t) => {
  const path: readonly [Phase, boolean, boolean][] = [
    [checking, false, false],
    [attaching(), false, true],
    [attached(5), true, false],
    [ended, false, false],
  ];
  const sessions = newSessions<Connection>();
  const one = connection("one");
  for (const [phase, holds, isAttaching] of path) {
    enter(sessions, one, phase);
    t.is(sessions.holders.get(SESSION) === one, holds, phase.kind);
    t.is(sessions.attaching.get(SESSION)?.has(one) === true, isAttaching, phase.kind);
    t.is(servedBy(one) !== undefined, holds, phase.kind);
  }
  t.deepEqual(sizes(sessions), NOBODY);
});

for (const phases of [
  [checking],
  [checking, attaching()],
  [checking, attaching(), attached(5)],
  [checking, { kind: "awaitingLeader" }, checking, attaching()],
] satisfies Phase[][]) {
  const kinds = phases.map(({ kind }) => kind).join(", ");
  test(`nothing is left of a connection that ends after: ${kinds}`, (t) => {
    const sessions = newSessions<Connection>();
    const one = through(sessions, "one", ...phases);
    if (one.phase.kind === "checking") sessions.impossible.add(one);
    if (one.phase.kind === "attached") sessions.withheld.add(one);
    enter(sessions, one, ended);
    t.deepEqual(sizes(sessions), NOBODY);
  });
}

test("a connection that waits for a new session waits for no session that others could have", (t) => {
  const sessions = newSessions<Connection>();
  const fresh = { ...wish, session: SESSION_NONE };
  const one = through(sessions, "one", { kind: "attaching", wish: fresh, supersededAt: 0 });
  t.is(sessions.attaching.size, 0);
  enter(sessions, one, attached(5));
  t.is(sessions.holders.get(SESSION), one);
});

test("a closing connection holds its session as it did before", (t) => {
  const sessions = newSessions<Connection>();
  const one = through(sessions, "one", attached(5));
  enterClosing(sessions, one);
  t.like(one.phase, { ...attached(5), kind: "closing" });
  t.is(sessions.holders.get(SESSION), one);
  enter(sessions, one, ended);
  enterClosing(sessions, one);
  t.is(one.phase.kind, "ended", "one that has ended does not close");
});

test("an earlier holder that ends does not take the session from a later one", (t) => {
  const sessions = newSessions<Connection>();
  const earlier = through(sessions, "earlier", attached(5));
  const later = through(sessions, "later", attaching(), attached(6));
  enter(sessions, earlier, ended);
  t.is(sessions.holders.get(SESSION), later);
});

const NEWS = {
  "attached elsewhere before": { attached: [4], closed: false },
  "attached by itself": { attached: [5], closed: false },
  "attached elsewhere since": { attached: [6], closed: false },
  closed: { attached: [], closed: true },
} as const;

type Outcome = "stays" | "moved" | "expired" | number;
const OUTCOMES: Readonly<Record<string, Readonly<Record<keyof typeof NEWS, Outcome>>>> = {
  // A number: the zxid up to which the result that is under way is out of date.
  attaching: {
    "attached elsewhere before": 4,
    "attached by itself": 5,
    "attached elsewhere since": 6,
    closed: Number.POSITIVE_INFINITY,
  },
  attached: {
    "attached elsewhere before": "stays",
    "attached by itself": "stays",
    "attached elsewhere since": "moved",
    closed: "expired",
  },
  // The reply to its own closeSession is still to come.
  closing: {
    "attached elsewhere before": "stays",
    "attached by itself": "stays",
    "attached elsewhere since": "moved",
    closed: "stays",
  },
  checking: {
    "attached elsewhere before": "stays",
    "attached by itself": "stays",
    "attached elsewhere since": "stays",
    closed: "stays",
  },
};

for (const [kind, outcomes] of Object.entries(OUTCOMES)) {
  for (const [news, outcome] of Object.entries(outcomes)) {
    test(`a connection that is ${kind}, its session ${news}: ${outcome}`, (t) => {
      const sessions = newSessions<Connection>();
      const one = connection("one");
      if (kind === "checking") enter(sessions, one, checking);
      else if (kind === "attaching") enter(sessions, one, attaching());
      else enter(sessions, one, attached(5));
      if (kind === "closing") enterClosing(sessions, one);
      const { attached: moves, closed } = NEWS[news as keyof typeof NEWS];
      const said: string[] = [];
      const changes = {
        kind: "sessionChanges",
        attached: moves.map((at) => ({
          session: SESSION,
          timeoutMs: TIMEOUT_MS,
          attachedAt: at as Zxid,
        })),
        closed: closed ? [SESSION] : [],
      } as const;
      followSessions(sessions, changes, ({ name }, reason) => said.push(`${name} ${reason}`));
      const isOver = outcome === "moved" || outcome === "expired";
      t.deepEqual(said, isOver ? [`one ${outcome}`] : []);
      if (typeof outcome === "number") t.like(one.phase, { kind, supersededAt: outcome });
      else t.like(one.phase, { kind }, "it is for the protocol to end it");
    });
  }
}

test("what superseded a result that is under way is the latest there was", (t) => {
  const sessions = newSessions<Connection>();
  const [one, other] = [
    through(sessions, "one", attaching()),
    through(sessions, "other", attaching()),
  ];
  for (const at of [6, 9, 8]) {
    const attachedAt = at as Zxid;
    const change = { session: SESSION, timeoutMs: TIMEOUT_MS, attachedAt };
    followSessions(sessions, { kind: "sessionChanges", attached: [change], closed: [] }, () =>
      t.fail("neither has the session yet"),
    );
  }
  t.like(one.phase, { supersededAt: 9 });
  t.like(other.phase, { supersededAt: 9 });
});

test("the timeout is that of the session in every phase", (t) => {
  const phases = [checking, attaching(), attached(5)] as Exclude<Attachment, { kind: "ended" }>[];
  for (const phase of phases) t.is(timeoutMsOf(phase), TIMEOUT_MS, phase.kind);
});
