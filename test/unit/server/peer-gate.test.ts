/** The gate between a node and its peers, by plain calls: what comes in, what is refused, who is told. */
import test from "ava";
import { NodeGate } from "../../../server/peer-gate.ts";
import type { Admission } from "../../../runtime/transport.ts";
import { folderOf } from "../../support/peers.ts";
import { server } from "../../support/plain-calls.ts";

type Of = {
  readonly server: number;
  readonly identity?: string;
  readonly nonce?: number;
};

function gate(of: Of): NodeGate {
  const made = new NodeGate({
    server: server(of.server),
    nonce: of.nonce ?? of.server,
    check: () => undefined,
  });
  made.goBy({
    kind: "standing",
    identity: of.identity ?? folderOf(of.server),
    incarnation: 1,
    ensembleId: undefined,
    version: 0,
  });
  return made;
}

function sealed(by: NodeGate, message: object): Uint8Array {
  const bytes = by.seal(message);
  if (bytes === undefined) throw new Error("a node that knows who it is speaks");
  return bytes;
}

function heard(by: NodeGate, from: number, bytes: Uint8Array, nowMs = 0): Admission {
  return by.admit({ from, actor: "log-sync", bytes, isAnswer: false }, nowMs);
}

function logged(admission: Admission): string | undefined {
  return admission.kind === "refused" ? admission.log?.event : undefined;
}

test("a message comes in with who sent it, the first time and again", (t) => {
  const [one, two] = [gate({ server: 1 }), gate({ server: 2, nonce: 77 })];
  for (const value of [1, 2]) {
    t.deepEqual(heard(one, 2, sealed(two, { kind: "vote", value })), {
      kind: "taken",
      sender: { identity: folderOf(2), incarnation: 1, nonce: 77 },
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
  const cut = sealed(gate({ server: 2 }), { kind: "vote" }).subarray(0, 64);
  t.is(logged(heard(one, 2, cut)), "malformedPeerMessage", "a frame without a message");
});

test("a message with shared references, which no node writes, is refused before it is decoded", (t) => {
  const header = sealed(gate({ server: 2 }), { kind: "vote" }).subarray(0, 64);
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
