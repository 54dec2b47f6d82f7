/**
 * Makes messages that a stranger or a faulty node may send under a node's name: well-formed ones with fields of the wrong type or far out
 * of range, kinds that no peer sends, messages for actors that take none from peers, and bytes that are no message.
 */
import { encodeCbor } from "../../protocol/cbor.ts";
import { EPOCH_MAX } from "../../protocol/zxid.ts";

export type HostileMessage = {
  readonly from: number;
  readonly actor: string;
  readonly bytes: Uint8Array;
};

const ZXID = 2 ** 32;
const FAR = EPOCH_MAX * ZXID + 0xffff_ffff;
const SUBMITTER = { server: 2, lane: 1, incarnation: 1 };
const FOLDER = "0f".repeat(16);
const CONFIGURATION = {
  ensembleId: "f0".repeat(16),
  version: 2,
  since: ZXID,
  voters: [{ id: 2, identity: FOLDER }],
};
const SNAPSHOT = { zxid: ZXID, bytes: 100, checksum: 1 };

/** Every kind of message between peers, by actor, with fields that could be right. */
export const PEER_MESSAGES: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> =
  {
    election: [
      { kind: "vote", round: 1, state: "looking", leader: 2, lastZxid: ZXID, epoch: 1 },
      { kind: "vote", round: 1, state: "leading", leader: 2, lastZxid: ZXID, epoch: 1 },
    ],
    heartbeat: [{ kind: "ping", epoch: 1, touched: [ZXID], round: 1, echoMs: 1.5 }],
    "log-sync": [
      { kind: "promiseRequest", epoch: 1, candidate: 2 },
      {
        kind: "promiseReply",
        folder: FOLDER,
        epoch: 1,
        granted: false,
        promise: { epoch: 1, candidate: 2 },
        lastZxid: ZXID,
      },
      {
        kind: "append",
        epoch: 1,
        leader: 2,
        prevZxid: 0,
        committed: 0,
        records: [new Uint8Array(64)],
        admission: "all",
        asks: { durable: 0, counted: [2, 3] },
      },
      { kind: "accepted", epoch: 1, zxid: ZXID, votes: true, diskSpace: "low", treeFull: false },
      { kind: "behind", epoch: 1, holds: 0, durable: 0 },
      { kind: "forgotten", folder: FOLDER, incarnation: 1, epoch: 1, zxid: ZXID },
      { kind: "snapshotOffer", epoch: 1, snapshot: SNAPSHOT, configuration: CONFIGURATION },
      {
        kind: "greeting",
        members: [1, 2, 3],
        configuration: CONFIGURATION,
        asks: true,
        mayFound: true,
      },
      { kind: "join" },
      { kind: "joinAnswer", identity: FOLDER, reason: "no", configuration: CONFIGURATION },
      { kind: "askChunk", epoch: 1, zxid: ZXID, index: 0, position: 0 },
      {
        kind: "snapshotChunk",
        epoch: 1,
        zxid: ZXID,
        index: 0,
        position: 0,
        bytes: new Uint8Array(8),
      },
      { kind: "survey", nonce: 1 },
      { kind: "surveyed", nonce: 1, promisedEpoch: 1, tail: ZXID, leads: 1 },
      { kind: "deposed", promise: { epoch: 1, candidate: 2 } },
      { kind: "submit", submitter: SUBMITTER, seq: 1, count: 1, payload: new Uint8Array([0x80]) },
      { kind: "takeOver", epoch: 1, folder: FOLDER, zxid: ZXID },
      { kind: "takeOverDeclined", epoch: 1, zxid: ZXID, reason: "stopping" },
      { kind: "submitRefused", submitter: SUBMITTER, reason: "notLeader", expected: 1 },
    ],
  };

/** What an inner message of this node, or none, looks like. */
const NOT_FOR_PEERS: readonly Readonly<Record<string, unknown>>[] = [
  { kind: "leadership", role: "looking", epoch: 1, leader: undefined, admission: "none" },
  { kind: "received", from: 2, message: { kind: "survey", nonce: 1 } },
  { kind: "recovered", lastZxids: [], promise: { epoch: 9, candidate: 2 } },
  { kind: "promised", promise: { epoch: 99, candidate: 2 } },
  { kind: "appended", lastZxid: FAR, truncations: 0 },
  { kind: "leaderLost", reason: "a stranger says so" },
  { kind: "elected", leader: 2 },
  { kind: "timer", timer: "nothing" },
  { kind: "start" },
  { kind: "truncate", after: 0 },
  { kind: "propose", payload: new Uint8Array([1]), count: 1 },
  { kind: "constructor" },
  { kind: "toString" },
  { kind: { toString: 1 } },
  { kind: 7 },
  {},
];

const ACTORS = [
  ...["election", "heartbeat", "log-sync", "admin", "log", "sessions", "nobody", "__proto__"],
  ...["tree/1", "submitter/1", "zookeeper/1", "nats/1", "tree/99"],
];

const WRONG: readonly unknown[] = [
  ...[undefined, null, true, "x", -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, [], {}],
  ...[2 ** 53, 2 ** 64, EPOCH_MAX + 1, FAR + 1, 256, -(2 ** 40), new Uint8Array(3)],
  ...[[null], [new Uint8Array(1)], { epoch: EPOCH_MAX + 1, candidate: 0 }],
];
/** Numbers in range, and at the ends of the range. */
const FARTHEST: readonly unknown[] = [
  EPOCH_MAX,
  FAR,
  EPOCH_MAX - 1,
  { epoch: EPOCH_MAX, candidate: 2 },
];

export class HostilePeers {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  next(): HostileMessage {
    const kind = Math.floor(this.#random() * 10);
    const from =
      this.#random() < 0.9 ? 1 + Math.floor(this.#random() * 3) : this.#pick([0, 9, 255]);
    if (kind === 0) return { from, actor: this.#pick(ACTORS), bytes: this.#noise() };
    if (kind === 1) {
      return { from, actor: this.#pick(ACTORS), bytes: encodeCbor(this.#pick(NOT_FOR_PEERS)) };
    }
    const actor = this.#pick(Object.keys(PEER_MESSAGES));
    const message = { ...this.#pick(PEER_MESSAGES[actor] ?? []) };
    if (kind === 2) return { from, actor: this.#pick(ACTORS), bytes: encodeCbor(message) };
    const fields = Object.keys(message).filter((name) => name !== "kind");
    message[this.#pick(fields)] = this.#pick(kind < 8 ? WRONG : FARTHEST);
    if (kind === 9) {
      // The names agree, so that the message may be believed.
      if ("candidate" in message) message["candidate"] = from;
      if ("leader" in message) message["leader"] = from;
      if ("epoch" in message) message["epoch"] = EPOCH_MAX;
    }
    return { from, actor, bytes: encodeCbor(message) };
  }

  /** No message at all, or none that peers have. */
  malformed(): Omit<HostileMessage, "from"> {
    const isNoise = this.#random() < 0.5;
    const bytes = isNoise ? this.#noise() : encodeCbor(this.#pick(NOT_FOR_PEERS));
    return { actor: this.#pick(ACTORS), bytes };
  }

  #noise(): Uint8Array {
    const length = Math.floor(this.#random() * 40);
    return Uint8Array.from({ length }, () => Math.floor(this.#random() * 256));
  }

  #pick<Value>(of: readonly Value[]): Value {
    return of[Math.floor(this.#random() * of.length)] as Value;
  }
}
