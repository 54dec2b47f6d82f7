/** Messages between nodes with a key: what passes, and what a stranger can do with what he heard. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { encodeFrame, encodeHeader } from "../../../protocol/peer-frame.ts";
import type { Incoming, TransportOutcome } from "../../../runtime/transport.ts";
import { MemoryNetwork } from "../../../runtime/testing/memory-transport.ts";
import { VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import { AuthenticatedTransport } from "../../../server/authenticated-transport.ts";
import { PeerKeys, readPeerKeys } from "../../../server/peer-keys.ts";
import { folderOf } from "../../support/peers.ts";
import { server } from "../../support/plain-calls.ts";

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

type Of = { readonly keys?: readonly Uint8Array[]; readonly ensemble?: string };

class Peer {
  readonly got: Incoming[] = [];
  readonly faults: unknown[] = [];
  readonly transport: AuthenticatedTransport;

  constructor(network: MemoryNetwork, clock: VirtualClock, id: number, of: Of = {}) {
    const { keys = [key(1)], ensemble = "test" } = of;
    this.transport = new AuthenticatedTransport({
      transport: network.join(server(id)),
      id: server(id),
      ensemble,
      keys: keys.length === 0 ? undefined : new PeerKeys(keys),
      log: (_level, _event, detail) => this.faults.push(detail["fault"]),
      nowMs: () => clock.nowMs(),
    });
    this.transport.onReceive((incoming) => {
      this.got.push(incoming);
      incoming.answer?.(frame(incoming.from, 9));
    });
  }

  /** The last byte of each message that came through. */
  get bodies(): (number | undefined)[] {
    return this.got.map(({ bytes }) => bytes.at(-1));
  }
}

function frame(from: number, body: number): Uint8Array {
  const header = {
    server: server(from),
    ensembleId: undefined,
    identity: folderOf(from),
    incarnation: 1,
    nonce: from,
    configurationVersion: 0,
  };
  return new Uint8Array(encodeFrame(encodeHeader(header, "message"), body));
}

function pair(
  one: Of = {},
  two: Of = {},
): { clock: VirtualClock; a: Peer; b: Peer; heard: Incoming[] } {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const heard: Incoming[] = [];
  const b = new Peer(network, clock, 2, two);
  const a = new Peer(network, clock, 1, one);
  // A node on the same network, where everybody receives everything.
  network.join(server(3)).onReceive((incoming) => heard.push(incoming));
  return { clock, a, b, heard };
}

test("nodes with one key hear each other: messages, broadcasts, requests and answers", (t) => {
  const { clock, a, b } = pair();
  const outcomes: TransportOutcome[] = [];
  a.transport.send(server(2), "log-sync", frame(1, 1));
  a.transport.broadcast("election", frame(1, 2));
  a.transport.request(server(2), "heartbeat", frame(1, 3), 100, (outcome) =>
    outcomes.push(outcome),
  );
  clock.advance(1);
  t.deepEqual(b.bodies, [1, 2, 3]);
  t.deepEqual(b.got[0]?.bytes, frame(1, 1), "the frame is as it was made");
  t.like(outcomes, [{ kind: "answered", bytes: frame(1, 9) }]);
  t.deepEqual([...a.faults, ...b.faults], []);
});

test("a node without the key, with another, or with none where others have one, is heard by nobody, and both sides say why", (t) => {
  for (const [one, two, faults] of [
    [[], [key(1)], ["no authentication"]],
    [[key(1)], [], ["no key here"]],
    [[key(2)], [key(1)], ["wrong key"]],
  ] as const) {
    const { clock, a, b } = pair({ keys: one }, { keys: two });
    for (let times = 0; times < 5; times += 1) a.transport.send(server(2), "log-sync", frame(1, 1));
    clock.advance(1);
    t.deepEqual(b.got, []);
    t.deepEqual(b.faults, faults, "once, not each time");
    t.is(b.transport.refused, 5);
  }
});

test("keys are changed one node after the other, while all hear each other", (t) => {
  const [old, next] = [key(1), key(2)];
  const steps = [[old], [old, next], [next, old], [next]];
  for (let step = 0; step + 1 < steps.length; step += 1) {
    const { clock, a, b } = pair({ keys: steps[step] ?? [] }, { keys: steps[step + 1] ?? [] });
    a.transport.send(server(2), "log-sync", frame(1, 1));
    b.transport.send(server(1), "log-sync", frame(2, 2));
    clock.advance(1);
    t.deepEqual([...b.bodies, ...a.bodies], [1, 2], `step ${step}`);
  }
});

/** What a listener of everything hears of one message of node 1. */
function overheard(t: ExecutionContext, say: (a: Peer) => void): Uint8Array {
  const { clock, a, heard } = pair();
  say(a);
  clock.advance(1);
  const [first] = heard;
  if (first === undefined) throw new Error("nothing was heard");
  t.pass();
  return first.bytes;
}

function replayed(to: Of, actor: string, bytes: Uint8Array): Peer {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const peer = new Peer(network, clock, 2, to);
  network.forge({ from: server(1), to: server(2), actor, bytes });
  clock.advance(1);
  return peer;
}

test("what was heard is good for no other receiver, actor or ensemble, and not with any byte changed", (t) => {
  const all = overheard(t, (a) => a.transport.broadcast("log-sync", frame(1, 1)));
  t.deepEqual(replayed({}, "log-sync", all).bodies, [1], "late, or repeated by the network");
  const toThird = overheard(t, (a) => a.transport.send(server(3), "log-sync", frame(1, 1)));
  t.deepEqual(replayed({}, "log-sync", toThird).faults, ["for another node"]);
  t.deepEqual(replayed({}, "election", all).faults, ["wrong key"]);
  t.deepEqual(replayed({ ensemble: "other" }, "log-sync", all).faults, ["wrong key"]);
  for (let at = 0; at < all.length; at += 1) {
    const changed = new Uint8Array(all);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.deepEqual(replayed({}, "log-sync", changed).got, [], `byte ${at}`);
  }
  for (const length of [0, 3, 4, 5, 64, 99, 100, all.length - 1]) {
    t.deepEqual(replayed({}, "log-sync", all.subarray(0, length)).got, []);
  }
});

test("an answer is good for the request that it answers only, and a request is no answer", (t) => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const a = new Peer(network, clock, 1);
  const b = new Peer(network, clock, 2);
  const outcomes: TransportOutcome["kind"][] = [];
  const ask = (body: number): void => {
    a.transport.request(server(2), "heartbeat", frame(1, body), 50, ({ kind }) =>
      outcomes.push(kind),
    );
  };
  ask(1);
  clock.advance(1);
  t.is(b.got.length, 1);
  // In place of node 2: a stranger, who says again what he hears.
  const overhearing = new MemoryNetwork(clock);
  const c = new Peer(overhearing, clock, 1);
  overhearing.join(server(2)).onReceive(({ bytes, answer }) => answer?.(bytes));
  c.transport.request(server(2), "heartbeat", frame(1, 2), 50, ({ kind }) => outcomes.push(kind));
  clock.advance(100);
  t.deepEqual(outcomes, ["answered", "timedOut"]);
  t.deepEqual(c.faults, ["wrong key"]);
});

function keyFile(t: ExecutionContext, text: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-keys-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "peers.key");
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

test("a file of keys has one a line, and what is wrong with it is said without a key", (t) => {
  const hex = "0123456789abcdef".repeat(4);
  const keys = readPeerKeys(keyFile(t, `# the first signs\n${hex}\n\n${"ab".repeat(40)}\n`));
  const parts = [Uint8Array.of(1)];
  t.true(keys.verify(parts, keys.sign(parts)));
  for (const [text, mode, said] of [
    ["", 0o600, /0 keys/],
    [`${hex}\n${hex.slice(1)}`, 0o600, /line 2/],
    [hex.slice(2), 0o600, /line 1 no key of at least 32 bytes/],
    ["secret but not hexadecimal, and long enough to be a key of its own", 0o600, /line 1/],
    [`${hex}\n`.repeat(9), 0o600, /9 keys/],
    [hex, 0o644, /chmod o-rwx/],
  ] as const) {
    const error = t.throws(() => readPeerKeys(keyFile(t, text, mode)));
    t.regex(error?.message ?? "", said);
    t.false(/0123456789abcde|secret/.test(error?.message ?? ""));
  }
  t.regex(
    t.throws(() => readPeerKeys("/nowhere/peers.key"))?.message ?? "",
    /openssl rand -hex 32/,
  );
});
