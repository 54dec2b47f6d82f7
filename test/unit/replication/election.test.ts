/** The election actor by plain calls. */
import type { ElectionEffect } from "../../../actors/election/election.ts";
import test from "ava";
import { electionActor, type ElectionState } from "../../../actors/election/election.ts";
import type { ElectionMessage, Vote } from "../../../actors/election/messages.ts";
import { epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import {
  at,
  broadcasts,
  Driven,
  sent,
  server,
  timersStarted,
  told,
} from "../../support/plain-calls.ts";
import { senderOf } from "../../support/peers.ts";

type Election = Driven<ElectionState, ElectionMessage, ElectionEffect>;

/** Node 2 of three that looks, with this log. */
function looking(lastZxid: Zxid): Election {
  const election = new Driven(electionActor({ server: server(2), voters: [1, 2, 3].map(server) }));
  election.receive({ kind: "durable", votes: true, lastZxid, promisedEpoch: epoch(1) });
  election.receive({ kind: "look", reason: "started" });
  return election;
}

function vote(
  from: number,
  of: Partial<Vote> & { readonly leader: Vote["leader"] },
): ElectionMessage {
  const message: Vote = {
    kind: "vote",
    round: 1,
    state: "looking",
    lastZxid: ZXID_NONE,
    epoch: epoch(1),
    ...of,
  };
  return { kind: "received", from: server(from), sender: senderOf(from), message };
}

test("a node that looks votes for itself with its durable log", (t) => {
  const election = looking(at(1, 5));
  t.like(broadcasts(election.effects)[0], { state: "looking", leader: 2, lastZxid: at(1, 5) });
});

test("the longer log is adopted, whatever the id", (t) => {
  const election = looking(at(1, 5));
  const effects = election.receive(vote(1, { leader: server(1), lastZxid: at(1, 6) }));
  t.like(broadcasts(effects)[0], { leader: 1, lastZxid: at(1, 6) });
});

test("of equal logs the larger id is adopted, and a smaller vote changes nothing", (t) => {
  const election = looking(at(1, 5));
  t.deepEqual(broadcasts(election.receive(vote(1, { leader: server(1), lastZxid: at(1, 5) }))), []);
  const effects = election.receive(vote(3, { leader: server(3), lastZxid: at(1, 5) }));
  t.like(broadcasts(effects)[0], { leader: 3 });
});

test("a quorum that agrees asks directly whom it has not heard, once in a round", (t) => {
  const election = looking(at(1, 5));
  const agreeing = vote(1, { leader: server(2), lastZxid: at(1, 5) });
  t.like(sent(election.receive(agreeing), 3), [{ state: "looking", leader: 2 }]);
  t.deepEqual(sent(election.receive(agreeing), 3), []);
});

test("a quorum that agrees elects at once if the others have no process", (t) => {
  const election = looking(at(1, 5));
  t.deepEqual(told(election.receive({ kind: "unheard", by: server(3) }), "log-sync"), []);
  const effects = election.receive(vote(1, { leader: server(2), lastZxid: at(1, 5) }));
  t.deepEqual(told(effects, "log-sync"), [{ kind: "elected", leader: 2 }]);
});

test("it elects as well when the word that a node has no process comes last", (t) => {
  const election = looking(at(1, 5));
  election.receive(vote(1, { leader: server(2), lastZxid: at(1, 5) }));
  const effects = election.receive({ kind: "unheard", by: server(3) });
  t.deepEqual(told(effects, "log-sync"), [{ kind: "elected", leader: 2 }]);
});

test("a quorum that agrees elects at once if every other node was heard", (t) => {
  const election = looking(at(1, 5));
  election.receive(vote(3, { leader: server(3), lastZxid: at(1, 4) }));
  const effects = election.receive(vote(1, { leader: server(2), lastZxid: at(1, 5) }));
  t.deepEqual(told(effects, "log-sync"), [{ kind: "elected", leader: 2 }]);
});

test("a node that had no process and votes now is waited for in the next round", (t) => {
  const election = looking(at(1, 5));
  election.receive({ kind: "unheard", by: server(3) });
  election.receive({ kind: "look", reason: "again" });
  const effects = election.receive(vote(1, { leader: server(2), lastZxid: at(1, 5), round: 2 }));
  t.deepEqual(told(effects, "log-sync"), []);
  t.true(timersStarted(effects).includes("settle"));
});

test("a word that a node has no process does nothing to one that does not look", (t) => {
  const election = looking(at(1, 5));
  election.receive(vote(1, { leader: server(2), lastZxid: at(1, 5) }));
  election.receive({ kind: "timer", timer: "settle" });
  t.deepEqual(election.receive({ kind: "unheard", by: server(3) }), []);
});

test("a quorum's agreement counts after it has settled, while a node may still have a larger vote", (t) => {
  const election = looking(at(1, 5));
  const effects = election.receive(vote(1, { leader: server(2), lastZxid: at(1, 5) }));
  t.true(timersStarted(effects).includes("settle"));
  t.deepEqual(told(effects, "log-sync"), []);
  const settled = election.receive({ kind: "timer", timer: "settle" });
  t.deepEqual(told(settled, "log-sync"), [{ kind: "elected", leader: 2 }]);
});

test("a node that has just elected repeats its vote for one who looks, and for nobody else", (t) => {
  const election = looking(at(1, 5));
  election.receive(vote(1, { leader: server(2), lastZxid: at(1, 5) }));
  election.receive({ kind: "timer", timer: "settle" });
  const looker = vote(3, { leader: server(3), lastZxid: at(1, 4) });
  t.like(sent(election.receive(looker), 3)[0], { state: "elected", leader: 2 });
  const elected = vote(1, { state: "elected", leader: server(2), lastZxid: at(1, 5) });
  t.deepEqual(election.receive(elected), [], "two of them would answer each other without end");
});

test("the repeated vote of a node that has just elected counts as a vote", (t) => {
  const election = looking(at(1, 5));
  const effects = election.receive(
    vote(1, { state: "elected", leader: server(2), lastZxid: at(1, 5) }),
  );
  t.true(timersStarted(effects).includes("settle"));
});

test("a returning node joins the leader that the leader itself and a follower report", (t) => {
  const election = looking(at(1, 9));
  const first = election.receive(
    vote(1, { state: "following", leader: server(3), epoch: epoch(4) }),
  );
  t.deepEqual(told(first, "log-sync"), [], "one that follows proves no leader");
  const effects = election.receive(
    vote(3, { state: "leading", leader: server(3), epoch: epoch(4) }),
  );
  t.deepEqual(told(effects, "log-sync"), [{ kind: "elected", leader: 3 }]);
});

test("a node that follows answers one that looks with its leader", (t) => {
  const election = looking(at(1, 5));
  election.receive({
    kind: "leadership",
    role: "following",
    epoch: epoch(4),
    leader: server(3),
    admission: "all",
  });
  const effects = election.receive(vote(1, { leader: server(1) }));
  t.like(sent(effects, 1), [{ state: "following", leader: 3, epoch: 4 }]);
  t.deepEqual(told(effects, "heartbeat"), [{ kind: "doubted" }], "and asks whether it is there");
});

test("a later round forgets the votes of the one before", (t) => {
  const election = looking(at(1, 5));
  election.receive(vote(1, { leader: server(2), lastZxid: at(1, 5) }));
  election.receive(vote(3, { leader: server(3), lastZxid: at(1, 5), round: 2 }));
  t.deepEqual([...election.state.votes.keys()], [3]);
  t.is(election.state.round, 2);
});

test("a node alone elects itself", (t) => {
  const election = new Driven(electionActor({ server: server(1), voters: [server(1)] }));
  const effects = election.receive({ kind: "look", reason: "started" });
  t.deepEqual(told(effects, "log-sync"), [{ kind: "elected", leader: 1 }]);
});

test("an election that was started again looks when it is told again that nobody leads, and else does not", (t) => {
  const again = (role: "looking" | "following"): readonly Vote[] => {
    const election = new Driven(
      electionActor({ server: server(2), voters: [1, 2, 3].map(server) }),
    );
    const leader = role === "looking" ? undefined : server(1);
    election.receive({ kind: "leadership", role, epoch: epoch(1), leader, admission: "all" });
    election.receive({ kind: "durable", votes: true, lastZxid: at(1, 5), promisedEpoch: epoch(1) });
    return broadcasts(election.receive({ kind: "endOfTurn" })) as readonly Vote[];
  };
  t.like(again("looking")[0], { state: "looking", leader: 2, lastZxid: at(1, 5) });
  t.deepEqual(again("following"), []);
});
