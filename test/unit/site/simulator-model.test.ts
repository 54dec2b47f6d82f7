/** What the page of the simulator shows of a recording: states, messages and events at a moment, and addresses of runs. */
import test from "ava";
import {
  type Address,
  commandOf,
  formatAddress,
  parseAddress,
  seedOf,
} from "../../../site/simulator/model/address.ts";
import { Flights, FLIGHTS_MAX, LOST_SHOWN_MS } from "../../../site/simulator/model/flights.ts";
import { faultsAt, lookOf, nodesAt, roleText } from "../../../site/simulator/model/moments.ts";
import { NODE_RADIUS, placeOf, pointOn, wayOf } from "../../../site/simulator/model/ring.ts";
import { Timeline, type Wanted } from "../../../site/simulator/model/timeline.ts";
import { Recorder } from "../../sim/recording/recorder.ts";
import {
  EVENT_KINDS,
  MESSAGE_KINDS,
  type NodeMoment,
  type RecordedMessages,
  type Recording,
} from "../../sim/recording/recording.ts";
import { simulate } from "../../sim/simulate.ts";

const MOMENT: NodeMoment = {
  ...{ atMs: 0, role: "leading", established: true, votes: true, stopped: false, starts: 1 },
  ...{ epoch: 3, leader: undefined, logEnd: "3.4", durable: "3.4", committed: "3.2" },
  ...{ clients: 2, disk: "" },
};

/** Each: sent, end, kind, lost. */
function messagesOf(
  ...all: readonly (readonly [sentMs: number, endMs: number, kind: number, lost: 0 | 1])[]
): RecordedMessages {
  return {
    sentMs: Float64Array.from(all, ([sentMs]) => sentMs),
    endMs: Float64Array.from(all, ([, endMs]) => endMs),
    from: Uint8Array.from(all, () => 1),
    to: Uint8Array.from(all, () => 2),
    kind: Uint8Array.from(all, ([, , kind]) => kind),
    lost: Uint8Array.from(all, ([, , , lost]) => lost),
    text: Uint32Array.from(all, (_, index) => index),
    texts: all.map((_, index) => `message ${index}`),
  };
}

const RECORDING: Recording = {
  ...{ seed: 1, plan: "", nodes: 2, endMs: 100, faultsEndMs: undefined },
  moments: [
    [
      { ...MOMENT, role: "down" },
      { ...MOMENT, atMs: 10, role: "looking" },
      { ...MOMENT, atMs: 20 },
    ],
    [{ ...MOMENT, role: "down" }],
  ],
  paths: [
    { atMs: 5, faults: [{ from: 1, to: 2, state: "cut" }] },
    { atMs: 15, faults: [] },
  ],
  messages: messagesOf([1, 3, 0, 0], [2, 50, 0, 0], [4, 4, 1, 1]),
  events: [
    { atMs: 0, kind: "node", who: "node 1", text: "starts" },
    { atMs: 5, kind: "fault", who: "", text: "1 does not reach 2" },
    { atMs: 5, kind: "client", who: "client 1", text: "waits" },
    { atMs: 90, kind: "violation", who: "", text: "I1" },
  ],
  omitted: { messages: 0, events: 0 },
};
const ALL: Wanted = { events: new Set(EVENT_KINDS), messages: new Set(MESSAGE_KINDS) };

test("a node is what its last moment says, from that moment on", (t) => {
  const roleAt = (atMs: number): string | undefined => nodesAt(RECORDING.moments, atMs)[0]?.role;
  t.deepEqual([0, 9.99, 10, 19, 20, 100].map(roleAt), [
    ...["down", "down", "looking", "looking", "leading", "leading"],
  ]);
  t.is(nodesAt(RECORDING.moments, 50)[1]?.role, "down");
});

test("a path has its faults from when they are said until they are said to be over", (t) => {
  t.deepEqual(faultsAt(RECORDING.paths, 4), []);
  t.deepEqual(faultsAt(RECORDING.paths, 5), [{ from: 1, to: 2, state: "cut" }]);
  t.deepEqual(faultsAt(RECORDING.paths, 15), []);
});

test("a role in words says whom a node follows, and what keeps it from taking part", (t) => {
  const text = (changed: Partial<NodeMoment>): string => roleText({ ...MOMENT, ...changed });
  t.is(text({}), "leads");
  t.is(text({ established: false, stopped: true }), "leads, stands still, not established");
  t.is(text({ role: "following", leader: 2, votes: false }), "follows node 2, has no vote");
  t.is(text({ role: "awaiting", leader: 1, established: false }), "awaits node 1");
  t.is(text({ role: "down", votes: false }), "down");
  t.is(lookOf({ ...MOMENT, established: false }), "candidate");
  t.is(lookOf({ ...MOMENT, role: "following", established: false }), "seeker");
});

test("a message is on its way from when it is sent until it arrives, and a lost one gets half of it", (t) => {
  const flights = new Flights(RECORDING.messages);
  const kinds = new Set(MESSAGE_KINDS);
  const textsAt = (atMs: number): readonly string[] => {
    return flights.at(atMs, kinds).flights.map(({ text }) => text);
  };
  t.deepEqual(textsAt(0.5), []);
  t.deepEqual(textsAt(1), ["message 0"]);
  t.deepEqual(textsAt(2.5), ["message 1", "message 0"]);
  t.deepEqual(textsAt(3), ["message 1"]);
  t.deepEqual(textsAt(4 + LOST_SHOWN_MS / 2), ["message 2", "message 1"]);
  t.deepEqual(textsAt(4 + LOST_SHOWN_MS), ["message 1"]);
  t.deepEqual(textsAt(50), []);
  const [lost] = flights.at(4 + LOST_SHOWN_MS / 2, kinds).flights;
  t.like(lost, { kind: "election", lost: true, done: 0.25 });
  t.deepEqual(flights.at(4.5, new Set(["replication"] as const)).flights.length, 1);
});

test("as many messages are drawn as can be seen, and the others are counted", (t) => {
  const many = Array.from({ length: FLIGHTS_MAX + 7 }, () => [1, 2, 0, 0] as const);
  const { flights, more } = new Flights(messagesOf(...many)).at(1.5, new Set(MESSAGE_KINDS));
  t.deepEqual([flights.length, more], [FLIGHTS_MAX, 7]);
});

test("events and messages are one list, of which one goes to the next and to the one before", (t) => {
  const timeline = new Timeline(RECORDING, ALL);
  t.is(timeline.length, 7);
  const { entries, past } = timeline.around(5, { before: 3, after: 9 });
  t.deepEqual(
    entries.map(({ atMs, text }) => `${atMs} ${text}`),
    ["4 lost: message 2", "5 1 does not reach 2", "5 waits", "90 I1"],
  );
  t.is(past, 3);
  t.is(new Set(timeline.around(0, { before: 9, after: 9 }).entries.map(({ key }) => key)).size, 7);
  t.deepEqual([timeline.next(5), timeline.next(90)], [90, undefined]);
  t.deepEqual([timeline.previous(5), timeline.previous(0)], [4, undefined]);
});

test("the list has what is wanted alone", (t) => {
  const faults = new Timeline(RECORDING, { events: new Set(["fault"]), messages: new Set() });
  t.deepEqual([faults.length, faults.next(0), faults.next(5)], [1, 5, undefined]);
});

test("ways lead from edge to edge, and the two of a pair keep apart", (t) => {
  for (const nodes of [2, 3, 7]) {
    const [start, end] = wayOf(1, 2, nodes);
    const [back] = wayOf(2, 1, nodes);
    const [one, other] = [placeOf(1, nodes), placeOf(2, nodes)];
    t.true(Math.hypot(start.x - one.x, start.y - one.y) >= NODE_RADIUS);
    t.true(Math.hypot(end.x - other.x, end.y - other.y) >= NODE_RADIUS);
    t.true(Math.hypot(end.x - back.x, end.y - back.y) > 10);
  }
  t.deepEqual(wayOf(1, 1, 1), [placeOf(1, 1), placeOf(1, 1)]);
  t.deepEqual(pointOn([placeOf(1, 1), { x: 10, y: 20 }], 0.5), { x: 5, y: 10 });
});

test("an address is read as it was written, and what is no seed is none", (t) => {
  const address: Address = {
    ...{ seed: 4711, plan: "hostile", placement: "oneThread", mistake: "some-mistake" },
    atMs: 1234.5678,
  };
  t.deepEqual(parseAddress(formatAddress(address)), { address, seed: "right" });
  const none = { seed: 1, plan: "", placement: "", mistake: "", atMs: undefined };
  t.deepEqual(parseAddress("?seed=0&at=-1"), { address: none, seed: "wrong" });
  t.deepEqual(parseAddress("?at=x"), { address: none, seed: "none" });
  t.deepEqual(["1", "4294967295", "4294967296", "1.5", " 1", "-1", "1e3", ""].map(seedOf), [
    ...[1, 4_294_967_295, undefined, undefined, undefined, undefined, undefined, undefined],
  ]);
  t.is(
    commandOf({ ...address, mistake: "" }),
    "npm run sim -- --seed 4711 --plan hostile --placement oneThread --trace",
  );
  t.is(commandOf(address), "npm run sim:mutants -- --only some-mistake --plan hostile");
});

test("who looks on changes nothing of a run, and sees nodes, faults, messages and events in their order", (t) => {
  const seen: { by: Recorder | undefined } = { by: undefined };
  const seed = 1;
  const { hash, network, steps } = simulate(seed, {
    onCluster: (cluster) => {
      seen.by = new Recorder(cluster);
    },
  });
  t.is(hash, simulate(seed).hash);
  t.is(seen.by?.hash, hash);
  t.true((seen.by?.decisions ?? 0) > 1000);
  const recording = seen.by?.finish();
  const { moments = [], messages, events = [], endMs = 0 } = recording ?? {};
  const isSorted = (times: readonly number[]): boolean => {
    return times.every((ms, index) => ms <= endMs && ms >= (times[index - 1] ?? 0));
  };
  for (const each of moments) t.true(isSorted(each.map(({ atMs }) => atMs)));
  t.true(isSorted(events.map(({ atMs }) => atMs)));
  t.true(isSorted([...(messages?.sentMs ?? [])]));
  const last = nodesAt(moments, endMs);
  t.is(last.filter(({ role }) => role === "leading").length, 1);
  t.true(last.every(({ established }) => established));
  t.is(new Set(last.map(({ committed }) => committed)).size, 1);
  // Each that arrived was delivered, but for those that found nobody, and answers, which count for none.
  const lost = messages?.lost.filter((each) => each === 1).length ?? 0;
  t.true(lost <= network.lost);
  t.true((messages?.sentMs.length ?? 0) > steps / 100);
  t.true(events.some(({ kind }) => kind === "fault"));
  t.deepEqual(recording?.omitted, { messages: 0, events: 0 });
});
