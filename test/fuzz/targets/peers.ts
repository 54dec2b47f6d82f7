/** Messages between nodes, as far as the gate: what it lets in is a message, and all else is refused with a word. */
import { peerCheck } from "../../../actors/peer-messages.ts";
import type { Standing } from "../../../actors/log-sync/messages.ts";
import { encodeCbor } from "../../../protocol/cbor.ts";
import { checkedConfiguration } from "../../../protocol/configuration.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { PEER_FRAME_HEAD_BYTES } from "../../../protocol/peer-frame.ts";
import { NodeGate } from "../../../server/peer-gate.ts";
import type { Random } from "../../sim/random.ts";
import { withBody } from "../../support/frames.ts";
import { hex, must, type Target } from "../target.ts";
import { CBOR_TOKENS, varyCbor } from "./cbor-vary.ts";

const ZXID = 0x1_0000_0001;
const OWN = 1 as ServerId;
const PEER = 2 as ServerId;
const VOTERS = [1, 2, 3] as ServerId[];
const ENSEMBLE = "0a".repeat(16);

const PEER_MESSAGES: readonly object[] = [
  { kind: "promiseRequest", epoch: 1, candidate: 2 },
  {
    kind: "append",
    epoch: 1,
    leader: 2,
    prevZxid: 0,
    committed: ZXID,
    records: [new Uint8Array(64)],
    admission: "all",
    asks: { durable: ZXID, counted: [1, 3] },
  },
  { kind: "accepted", epoch: 1, zxid: ZXID, votes: true, diskSpace: "free", treeFull: false },
  { kind: "vote", round: 1, state: "looking", leader: 1, lastZxid: ZXID, epoch: 1 },
  { kind: "ping", epoch: 1, touched: [1, 2, ZXID], round: 4, echoMs: 1234.5 },
  { ensembleId: ENSEMBLE, version: 1, voters: [{ id: 1, identity: "0b".repeat(16) }] },
];

function gateOf(server: ServerId): NodeGate {
  const gate = new NodeGate({
    server,
    nonce: server,
    check: peerCheck({ server, voters: VOTERS }),
  });
  gate.goBy(standingOf(server));
  return gate;
}

function standingOf(server: ServerId): Standing {
  const voters = new Map(VOTERS.map((voter) => [voter, identityOf(voter)]));
  const identity = identityOf(server);
  const named = new Set(voters.values());
  return {
    kind: "standing",
    identity,
    incarnation: 1,
    ensembleId: ENSEMBLE,
    version: 1,
    voters,
    named,
  };
}

function identityOf(server: ServerId): string {
  return `0${server}`.repeat(16);
}

function peerFrame(input: Uint8Array): string {
  const gate = gateOf(OWN);
  const admission = gate.admit({ from: PEER, actor: "log-sync", bytes: input, isAnswer: false }, 0);
  if (admission.kind === "refused") {
    return `refused ${admission.log?.event} ${String(admission.log?.detail["fault"])}`;
  }
  const { message } = admission;
  must(!Object.keys(message).includes("__proto__"), "no field is a prototype");
  must(
    Array.isArray(message) || message instanceof Uint8Array || isPlain(message),
    "a message is plain data",
  );
  const configuration = checkedConfiguration(message);
  if (configuration !== undefined) return "a configuration";
  return `taken ${"kind" in message ? typeof message.kind : "without a kind"}`;
}

function isPlain(message: object): boolean {
  return Object.getPrototypeOf(message) === Object.prototype;
}

/** The header or the body. */
function vary(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < PEER_FRAME_HEAD_BYTES || random.chance(0.1)) return bytes;
  return withBody(bytes, varyCbor(bytes.subarray(PEER_FRAME_HEAD_BYTES), random));
}

export const PEERS: readonly Target[] = [
  {
    name: "peer-frames",
    bytesMax: 1024 * 1024,
    tokens: [...CBOR_TOKENS, hex("5a460101"), hex("5a460102"), new Uint8Array(16)],
    vary,
    seeds: () => {
      const gate = gateOf(PEER);
      const refusal = { reason: "twin", nonce: OWN, text: "stop one of them" };
      return [
        ...PEER_MESSAGES.map((message) => gate.seal(message) ?? encodeCbor(message)),
        refusalFrame(gate, refusal),
      ].map((bytes) => new Uint8Array(bytes));
    },
    run: peerFrame,
  },
];

function refusalFrame(gate: NodeGate, refusal: object): Uint8Array {
  const frame = new Uint8Array(gate.seal(refusal) ?? []);
  frame[3] = 2;
  return frame;
}
