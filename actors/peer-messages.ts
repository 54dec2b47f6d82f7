/**
 * The messages that nodes may send to each other: which actors receive from peers, which kinds of messages they take, and the type
 * and range of each field. A message is checked before an actor sees it, so no actor has to doubt its input. A message that fails
 * is refused and counted: it comes from a stranger or from a broken node, and must never stop this one.
 */
import { checkedConfiguration } from "../protocol/configuration.ts";
import { type ServerId, SERVER_ID_MAX, SERVER_ID_MIN } from "../protocol/ids.ts";
import { isIdentity } from "../protocol/identity.ts";
import { BATCH_OPERATIONS_MAX, RECORD_BYTES_MAX } from "../protocol/limits.ts";
import {
  EPOCH_MAX,
  epochOf,
  type Zxid,
  zxidOf,
  COUNTER_MAX,
  type Epoch,
  ZXID_NONE,
} from "../protocol/zxid.ts";
import type { PeerCheck } from "../runtime/transport.ts";
import type { Vote } from "./election/messages.ts";
import type { Ping, Pong } from "./heartbeat/messages.ts";
import type { LogSyncPeerMessage } from "./log-sync/messages.ts";

type Field = { readonly rule: string; readonly holds: (value: unknown) => boolean };

/** One check for every field of every kind of message: a field that is forgotten here is a type error. */
type Shapes<Message extends { readonly kind: string }> = {
  readonly [Kind in Message["kind"]]: {
    readonly [Name in Exclude<keyof Extract<Message, { readonly kind: Kind }>, "kind">]-?: Field;
  };
};

/** Maps a kind of message to its fields. They are in a list, since every message is checked field by field. */
type Checks = ReadonlyMap<string, readonly (readonly [name: string, field: Field])[]>;

const ZXID_MAX = zxidOf(EPOCH_MAX as Epoch, COUNTER_MAX);
const LANE_MAX = 0xffff;
const RECORD_BYTES_MIN = 64;
/**
 * Rounds of elections and of touches, sequence numbers of batches, and incarnations are counted up by one. A double is exact up to
 * 2^53, so a count that a peer sends may still be incremented as often as can happen.
 */
const COUNT_MAX = 2 ** 52;
const RECORDS_MAX = 65_536;
const SESSIONS_MAX = 4_000_000;
const REASON_CHARACTERS_MAX = 300;

const epoch = whole("an epoch", 0, EPOCH_MAX);
const zxid = whole("a zxid", 0, ZXID_MAX);
const server = whole("a server's id", SERVER_ID_MIN, SERVER_ID_MAX);
const count = whole("a count", 0, COUNT_MAX);
const position = whole("a position", 0, Number.MAX_SAFE_INTEGER);
const flag: Field = { rule: "true or false", holds: (value) => typeof value === "boolean" };
const bytes: Field = { rule: "bytes", holds: (value) => value instanceof Uint8Array };
const admission = oneOf("all", "noGrowth", "sessionsOnly", "none");
const diskSpace = oneOf("free", "low", "full");
const configuration: Field = {
  rule: "a configuration",
  holds: (value) => checkedConfiguration(value) !== undefined,
};
const identity: Field = { rule: "a folder's identity", holds: isIdentity };
const promise = record("a promise", { epoch, candidate: server });
const submitter = record("a submitter", {
  server,
  lane: whole("a lane", 1, LANE_MAX),
  incarnation: count,
});

const VOTE: Shapes<Vote> = {
  vote: {
    round: count,
    state: oneOf("looking", "elected", "following", "leading"),
    leader: server,
    lastZxid: zxid,
    epoch,
  },
};

const PING: Shapes<Ping> = {
  ping: {
    epoch,
    touched: list("sessions", SESSIONS_MAX, whole("a session", 1, ZXID_MAX)),
    round: count,
    echoMs: optional(time()),
  },
};

const PONG: Shapes<Pong> = {
  pong: { epoch, leading: flag, atMs: optional(time()), confirmed: optional(count) },
};

const LOG_SYNC: Shapes<LogSyncPeerMessage> = {
  promiseRequest: { epoch: whole("an epoch", 1, EPOCH_MAX), candidate: server },
  promiseReply: { folder: identity, epoch, granted: flag, promise, lastZxid: zxid },
  append: {
    epoch: whole("an epoch", 1, EPOCH_MAX),
    leader: server,
    prevZxid: zxid,
    committed: zxid,
    records: list("records", RECORDS_MAX, bytesOf(RECORD_BYTES_MIN, RECORD_BYTES_MAX)),
    admission,
    asks: optional(
      record("what a leader counts", {
        durable: zxid,
        counted: list("nonces", SERVER_ID_MAX, position),
      }),
    ),
  },
  accepted: { epoch, zxid, votes: flag, diskSpace, treeFull: flag },
  behind: { epoch, holds: zxid, durable: zxid },
  forgotten: { folder: identity, incarnation: count, epoch, zxid },
  snapshotOffer: {
    epoch,
    snapshot: record("a snapshot", {
      zxid: whole("a zxid", 1, ZXID_MAX),
      bytes: whole("a length", 1, Number.MAX_SAFE_INTEGER),
      checksum: whole("a checksum", 0, 0xffff_ffff),
    }),
    configuration,
  },
  askChunk: { epoch, zxid, index: position, position },
  snapshotChunk: { epoch, zxid, index: position, position, bytes },
  greeting: {
    members: list("servers' ids", SERVER_ID_MAX, server),
    configuration: optional(configuration),
    asks: flag,
    mayFound: flag,
  },
  join: {},
  joinAnswer: {
    identity,
    reason: optional(text(REASON_CHARACTERS_MAX)),
    configuration: optional(configuration),
  },
  survey: { nonce: position },
  surveyed: { nonce: position, promisedEpoch: epoch, tail: zxid, leads: optional(epoch) },
  deposed: { promise },
  submit: {
    submitter,
    seq: whole("a batch's number", 1, COUNT_MAX),
    count: whole("a count of operations", 1, BATCH_OPERATIONS_MAX),
    payload: bytesOf(1, RECORD_BYTES_MAX - RECORD_BYTES_MIN),
  },
  submitRefused: {
    submitter,
    reason: oneOf("outOfSequence", "staleIncarnation", "notLeader", "diskFull"),
    expected: count,
  },
  takeOver: { epoch: whole("an epoch", 1, EPOCH_MAX), folder: identity, zxid },
  takeOverDeclined: {
    epoch: whole("an epoch", 1, EPOCH_MAX),
    zxid,
    reason: oneOf("stopping", "unable", "behind"),
  },
};

const MESSAGES: ReadonlyMap<string, Checks> = new Map([
  ["election", checksOf(VOTE)],
  ["heartbeat", checksOf(PING)],
  ["log-sync", checksOf(LOG_SYNC)],
]);
const ANSWERS: ReadonlyMap<string, Checks> = new Map([["heartbeat", checksOf(PONG)]]);

function checksOf(shapes: Readonly<Record<string, Readonly<Record<string, Field>>>>): Checks {
  return new Map(Object.entries(shapes).map(([kind, fields]) => [kind, Object.entries(fields)]));
}

/** Makes the check of peer messages for the node `server`. `voters` are all numbers of its ensemble, its own among them. */
export function peerCheck(options: {
  readonly server: ServerId;
  readonly voters: readonly ServerId[];
}): PeerCheck {
  const others = new Set<number>(options.voters.filter((voter) => voter !== options.server));
  return ({ from, actor, message, isAnswer }) => {
    if (!others.has(from)) return "its sender is no other node of this ensemble";
    const checks = (isAnswer ? ANSWERS : MESSAGES).get(actor);
    if (checks === undefined) return "it is for an actor that hears no peers";
    return faultOf(checks, message) ?? contradictionIn(message as LogSyncPeerMessage, from);
  };
}

/**
 * Says which field of a message is missing or out of range. The message was decoded from CBOR, so it has its own properties and those
 * of `Object.prototype`; no field has the name of one of the latter.
 */
function faultOf(checks: Checks, message: unknown): string | undefined {
  if (typeof message !== "object" || message === null) return "it is no message";
  const { kind } = message as { readonly kind?: unknown };
  const fields = typeof kind === "string" ? checks.get(kind) : undefined;
  if (fields === undefined) return "its kind is not for peers";
  for (const [name, { rule, holds }] of fields) {
    if (!holds((message as Readonly<Record<string, unknown>>)[name])) {
      return `${String(kind)}: ${name} is not ${rule}`;
    }
  }
  return undefined;
}

/** Says what contradicts itself in a message whose fields are each in range. No honest node sends such a message. */
function contradictionIn(
  message: LogSyncPeerMessage | Vote | Ping | Pong,
  from: number,
): string | undefined {
  switch (message.kind) {
    case "promiseRequest":
      return message.candidate === from ? undefined : "a candidate asks for itself";
    case "append":
      if (message.leader !== from) return "a leader appends in its own name";
      return within(
        message.epoch,
        message.prevZxid,
        message.committed,
        message.asks?.durable ?? ZXID_NONE,
      );
    case "accepted":
    case "forgotten":
    case "takeOver":
    case "takeOverDeclined":
      return within(message.epoch, message.zxid);
    case "snapshotOffer":
      return within(message.epoch, message.snapshot.zxid);
    case "askChunk":
    case "snapshotChunk":
      return within(message.epoch, message.zxid);
    case "promiseReply":
      if (message.granted && message.promise.epoch !== message.epoch) {
        return "what is granted is the epoch that was asked for";
      }
      return undefined;
    case "submit":
      return message.submitter.server === from ? undefined : "a node submits its own batches";
    default:
      return undefined;
  }
}

/**
 * Checks that no zxid is of an epoch after the message's. A leader's log ends in the leader's own epoch at the latest, and a voter's
 * log in the epoch that it has promised.
 */
function within(epoch: number, ...zxids: readonly Zxid[]): string | undefined {
  return zxids.every((each) => epochOf(each) <= epoch)
    ? undefined
    : "a zxid is of an epoch after the message's own";
}

function whole(what: string, min: number, max: number): Field {
  return {
    rule: `${what} from ${min} to ${max}`,
    holds: (value) =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  };
}

function time(): Field {
  return {
    rule: "a time in milliseconds",
    holds: (value) => typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER,
  };
}

function text(lengthMax: number): Field {
  return {
    rule: `a text of at most ${lengthMax} characters`,
    holds: (value) => typeof value === "string" && value.length <= lengthMax,
  };
}

function bytesOf(min: number, max: number): Field {
  return {
    rule: `${min} to ${max} bytes`,
    holds: (value) => value instanceof Uint8Array && value.length >= min && value.length <= max,
  };
}

function oneOf(...words: readonly string[]): Field {
  return {
    rule: `one of ${words.join(", ")}`,
    holds: (value) => typeof value === "string" && words.includes(value),
  };
}

function optional({ rule, holds }: Field): Field {
  return { rule, holds: (value) => value === undefined || holds(value) };
}

function list(what: string, lengthMax: number, element: Field): Field {
  return {
    rule: `a list of at most ${lengthMax} ${what}`,
    holds: (value) =>
      Array.isArray(value) && value.length <= lengthMax && value.every(element.holds),
  };
}

function record(what: string, fields: Readonly<Record<string, Field>>): Field {
  const entries = Object.entries(fields);
  return {
    rule: what,
    holds: (value) =>
      typeof value === "object" &&
      value !== null &&
      entries.every(([name, { holds }]) => {
        return (
          Object.hasOwn(value, name) && holds((value as Readonly<Record<string, unknown>>)[name])
        );
      }),
  };
}
