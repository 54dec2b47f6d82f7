/** The gate between a node and its peers, by plain calls: what comes in, what is refused, who is told. */
import test from "ava";
import { countedOf } from "../../../actors/quorum.ts";
import { type Configuration, withIdentity } from "../../../protocol/configuration.ts";
import {
  decodeFrame,
  encodeFrame,
  encodeHeader,
  PEER_FRAME_HEAD_BYTES,
  type PeerFrame,
} from "../../../protocol/peer-frame.ts";
import { NodeGate } from "../../../server/peer-gate.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Admission } from "../../../runtime/transport.ts";
import { ensembleOf, folderOf } from "../../support/peers.ts";
import { server } from "../../support/plain-calls.ts";

type Of = {
  readonly server: number;
  readonly identity?: string;
  readonly nonce?: number;
  readonly incarnation?: number;
  /** Undefined: none yet. */
  readonly configuration?: Configuration | undefined;
};

function gate(of: Of): NodeGate {
  const made = new NodeGate({
    server: server(of.server),
    nonce: of.nonce ?? of.server,
    check: () => undefined,
  });
  const configuration = "configuration" in of ? of.configuration : ensembleOf(3);
  made.goBy({
    kind: "standing",
    identity: of.identity ?? folderOf(of.server),
    incarnation: of.incarnation ?? 1,
    ensembleId: configuration?.ensembleId,
    version: configuration?.version ?? 0,
    voters: countedOf(configuration, []),
    named: new Set(configuration?.voters.map(({ identity }) => identity)),
  });
  return made;
}

function sealed(by: NodeGate, message: object): Uint8Array {
  const bytes = by.seal(message);
  if (bytes === undefined) throw new Error("a node that knows who it is speaks");
  return bytes;
}

function heard(by: NodeGate, from: number, bytes: Uint8Array, nowMs = 0): Admission {
  return by.admit({ from: server(from), actor: "log-sync", bytes, isAnswer: false }, nowMs);
}

function logged(admission: Admission): string | undefined {
  return admission.kind === "refused" ? admission.log?.event : undefined;
}

test("a message comes in with who sent it, the first time and again", (t) => {
  const [one, two] = [gate({ server: 1 }), gate({ server: 2, nonce: 77 })];
  for (const value of [1, 2]) {
    t.deepEqual(heard(one, 2, sealed(two, { kind: "vote", value })), {
      kind: "taken",
      sender: {
        identity: folderOf(2),
        incarnation: 1,
        nonce: 77,
        ensembleId: ensembleOf(3).ensembleId,
        isVoter: true,
        isNamed: true,
      },
      message: { kind: "vote", value },
    });
  }
});

test("before its folder is read a node neither speaks nor listens", (t) => {
  const early = new NodeGate({ server: server(1), nonce: 1, check: () => undefined });
  t.is(early.seal({ kind: "vote" }), undefined);
  t.is(heard(early, 2, sealed(gate({ server: 2 }), { kind: "vote" })).kind, "refused");
});

test("malformed bytes are refused and said once in a while, with how often", (t) => {
  const one = gate({ server: 1 });
  const noise = Uint8Array.of(0xd8, 0x1d, 0x00);
  t.is(logged(heard(one, 2, noise, 0)), "malformedPeerMessage");
  t.is(logged(heard(one, 2, noise, 1000)), undefined);
  const again = heard(one, 2, noise, 61_000);
  t.is(again.kind === "refused" ? again.log?.detail["times"] : 0, 3);
  const cut = sealed(gate({ server: 2 }), { kind: "vote" }).subarray(0, PEER_FRAME_HEAD_BYTES);
  t.is(logged(heard(one, 2, cut)), "malformedPeerMessage", "a frame without a message");
});

test("a message with shared references, which no node writes, is refused before it is decoded", (t) => {
  const header = sealed(gate({ server: 2 }), { kind: "vote" }).subarray(0, PEER_FRAME_HEAD_BYTES);
  const body = Buffer.from("a1646b696e64d81c81d81d00", "hex");
  const bytes = new Uint8Array(Buffer.concat([header, body]));
  t.is(logged(heard(gate({ server: 1 }), 2, bytes)), "malformedPeerMessage");
});

test("a frame that names another sender than the transport is refused", (t) => {
  const bytes = sealed(gate({ server: 2 }), { kind: "vote" });
  t.is(logged(heard(gate({ server: 1 }), 3, bytes)), "malformedPeerMessage");
});

test("another process with this node's id is never heard, and both say so", (t) => {
  const one = gate({ server: 1 });
  for (const twin of [
    gate({ server: 1, identity: folderOf(9), nonce: 9 }),
    gate({ server: 1, nonce: 10 }),
  ]) {
    const admission = heard(one, 1, sealed(twin, { kind: "vote" }), twin.seal({})?.length);
    t.is(admission.kind, "refused");
    const { reply } = admission as { readonly reply?: Uint8Array };
    if (reply === undefined) continue;
    const told = heard(twin, 1, reply);
    t.is(logged(told), "refusedByPeer");
    t.like(told, { tell: { to: "log-sync", message: { kind: "refusedByPeer", reason: "twin" } } });
    t.is(logged(heard(one, 1, reply)), undefined, "it is not about this process");
  }
});

test("a node's own message that comes back late is no other process", (t) => {
  const one = gate({ server: 1 });
  t.deepEqual(heard(one, 1, sealed(one, { kind: "vote" })), { kind: "refused" });
});

test("a node of another ensemble is not heard, and both sides name the two", (t) => {
  const one = gate({ server: 1 });
  const other = gate({ server: 2, configuration: ensembleOf(5) });
  const admission = heard(one, 2, sealed(other, { kind: "vote" }));
  t.is(logged(admission), "otherEnsemble");
  const { reply } = admission as { readonly reply?: Uint8Array };
  const told = reply === undefined ? undefined : heard(other, 1, reply);
  t.like(told, { log: { event: "refusedByPeer", detail: { by: 1, reason: "otherEnsemble" } } });
  t.is(heard(one, 2, sealed(other, { kind: "vote" }), 1).kind, "refused", "each time");
});

test("a folder that has no vote is heard by log-sync and heartbeat only, and is said to have none", (t) => {
  const one = gate({ server: 1 });
  const guest = gate({ server: 2, identity: folderOf(9) });
  const newcomer = gate({ server: 2, identity: folderOf(9), configuration: undefined });
  for (const by of [guest, newcomer]) {
    const bytes = sealed(by, { kind: "survey" });
    t.like(heard(one, 2, bytes), { kind: "taken", sender: { isVoter: false } });
    for (const actor of ["election", "admin", "sessions"]) {
      t.is(one.admit({ from: server(2), actor, bytes, isAnswer: false }, 0).kind, "refused", actor);
    }
  }
});

test("who counts is asked again when the configuration changes", (t) => {
  const one = gate({ server: 1 });
  const two = gate({ server: 2 });
  t.like(heard(one, 2, sealed(two, {})), { sender: { isVoter: true } });
  const next = withIdentity(ensembleOf(3), { id: server(2), identity: folderOf(9) }, 0 as Zxid);
  one.goBy({
    kind: "standing",
    identity: folderOf(1),
    incarnation: 1,
    ensembleId: next.ensembleId,
    version: 2,
    voters: countedOf(next, []),
    named: new Set(next.voters.map(({ identity }) => identity)),
  });
  t.like(heard(one, 2, sealed(two, {})), { sender: { isVoter: false } });
});

test("of one folder's processes the one that was started last is heard, and the other is told so", (t) => {
  const one = gate({ server: 1 });
  const later = gate({ server: 2, incarnation: 9, nonce: 90 });
  t.is(heard(one, 2, sealed(later, {})).kind, "taken");
  for (const copy of [
    gate({ server: 2, incarnation: 8, nonce: 80 }),
    gate({ server: 2, incarnation: 9, nonce: 91 }),
  ]) {
    const admission = heard(one, 2, sealed(copy, {}), copy.seal({})?.[55]);
    t.is(admission.kind, "refused");
    const { reply } = admission as { readonly reply?: Uint8Array };
    const told = reply === undefined ? undefined : heard(copy, 1, reply);
    if (told !== undefined) {
      const message = {
        kind: "refusedByPeer",
        from: 1,
        reason: "olderIncarnation",
        incarnation: 9,
      };
      t.like(told, { tell: { to: "log-sync", message } });
    }
  }
  t.is(heard(one, 2, sealed(later, {})).kind, "taken");
  t.is(heard(one, 2, sealed(gate({ server: 2, incarnation: 10 }), {})).kind, "taken");
});

test("a voter by a configuration that is over is told so, and a guest is not", (t) => {
  const one = gate({ server: 1 });
  const next = withIdentity(ensembleOf(3), { id: server(2), identity: folderOf(9) }, 0 as Zxid);
  one.goBy({
    kind: "standing",
    identity: folderOf(1),
    incarnation: 1,
    ensembleId: next.ensembleId,
    version: 2,
    voters: countedOf(next, []),
    named: new Set(next.voters.map(({ identity }) => identity)),
  });
  const bytes = sealed(gate({ server: 2 }), { kind: "vote" });
  const admission = one.admit({ from: server(2), actor: "election", bytes, isAnswer: false }, 0);
  t.true("reply" in admission && admission.reply !== undefined);
  t.is(heard(one, 2, bytes).kind, "taken", "log-sync hears it, as of a folder without a vote");
});

test("while a number is being bound to another folder elections hear both, and neither counts", (t) => {
  const one = gate({ server: 1 });
  const settled = ensembleOf(3);
  const next = withIdentity(settled, { id: server(2), identity: folderOf(9) }, 0 as Zxid);
  one.goBy({
    kind: "standing",
    identity: folderOf(1),
    incarnation: 1,
    ensembleId: settled.ensembleId,
    version: 1,
    voters: countedOf(settled, [{ zxid: 0 as Zxid, configuration: next }]),
    named: new Set([folderOf(2), folderOf(9)]),
  });
  for (const identity of [folderOf(2), folderOf(9)]) {
    const bytes = sealed(gate({ server: 2, identity }), { kind: "vote" });
    const admission = one.admit({ from: server(2), actor: "election", bytes, isAnswer: false }, 0);
    t.like(admission, { kind: "taken", sender: { isVoter: false, isNamed: true } });
  }
});

test("a refusal with a reason that nobody gives is malformed, whatever an object of ours inherits", (t) => {
  const one = gate({ server: 1 });
  const { header } = decodeFrame(sealed(gate({ server: 2 }), {})) as PeerFrame;
  const refusal = encodeHeader(header, "refusal");
  for (const [index, reason] of ["constructor", "toString", "none"].entries()) {
    const frame = encodeFrame(refusal, { reason, nonce: 1, text: "x", incarnation: 1 });
    const admission = heard(one, 2, frame, index * 100_000);
    t.is(logged(admission), "malformedPeerMessage", reason);
  }
});

test("that nobody has heard a message is told to the actors that go by it", (t) => {
  const message = { kind: "unheard", by: server(2) };
  t.deepEqual(gate({ server: 1 }).unheard(server(2)), [
    { to: "heartbeat", message },
    { to: "election", message },
  ]);
});
