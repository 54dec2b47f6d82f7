/**
 * The native protocol between `zooid/client` and a lane's gateway, over NATS; docs/internals/native-protocol.md describes how
 * it is used. A frame is CBOR: `[sequence, [item, …]]`, and an item is `[code, …fields]`. Each side numbers its frames of a
 * connection from 1, so that the next frame shows that one was lost.
 */
import { CLIENT_CBOR, decodeCbor, encodeCbor, GATEWAY_CBOR } from "./cbor.ts";
import type { CborProfile } from "./cbor-profile.ts";
import type { Recursive } from "./changes.ts";
import { Code } from "./codes.ts";
import { byteString, count, FieldError, integer, isCount, list, text } from "./fields.ts";
import type { SessionId } from "./ids.ts";
import type { Zxid } from "./zxid.ts";
import {
  CHANGES,
  type ChangesItem,
  type EncodedChanges,
  encodeFrameOf,
  readChangesFrame,
} from "./native-changes.ts";
import {
  type NativeRequest,
  type NativeResult,
  packChange,
  packRequest,
  packResult,
  unpackChange,
  unpackRequest,
  unpackResult,
} from "./native-packing.ts";

export const NATIVE_VERSION = 2;

export type ClientItem =
  /** The first item of a connection; it goes to the queue group. Session 0 asks for a new session. */
  | {
      readonly kind: "open";
      readonly version: number;
      readonly session: SessionId;
      readonly password: Uint8Array;
      readonly timeoutMs: number;
    }
  /**
   * The client proves an identity by `user:password`, for the requests and streams behind it. It is not answered; where it proves nothing
   * the connection ends.
   */
  | { readonly kind: "auth"; readonly data: Uint8Array }
  | { readonly kind: "ping" }
  /** Acknowledges the frames up to this sequence: the gateway may send as many bytes again. */
  | { readonly kind: "taken"; readonly sequence: number }
  /** The client waits for no answer to a request with this number or a smaller one: their results need not be kept for it. */
  | { readonly kind: "answered"; readonly number: number }
  /**
   * `id` is larger than that of any request before it in the session; a request that is said again, on another connection, has the number
   * that it had. Exactly one `result` with this id answers the request.
   */
  | { readonly kind: "request"; readonly id: number; readonly request: NativeRequest }
  /** Asks for the changes after `after`. `credits` is how many changes may be sent before more are granted. */
  | {
      readonly kind: "openStream";
      readonly stream: number;
      readonly path: string;
      readonly recursive: Recursive;
      readonly after: Zxid;
      readonly credits: number;
    }
  | { readonly kind: "credit"; readonly stream: number; readonly credits: number }
  | { readonly kind: "closeStream"; readonly stream: number };

/** What a gateway receives: an item, or a request or stream that is malformed by itself and is refused alone. */
export type ReceivedItem =
  | ClientItem
  | { readonly kind: "badRequest"; readonly id: number; readonly code: Code }
  | { readonly kind: "badStream"; readonly stream: number; readonly code: Code };

/**
 * Why a gateway ended a connection. `expired`: the session is over. `version`: this gateway does not know the client's version of
 * the protocol. `authFailed`: what the client sent proves no identity here. `stopping`: the node is about to stop. After any reason but
 * the first three the client attaches again, through this gateway or another.
 */
export type EndReason =
  | "expired"
  | "version"
  | "authFailed"
  | "moved"
  | "noLeader"
  | "unknown"
  | "gap"
  | "badFrame"
  | "limit"
  | "stopping";

export type GatewayItem =
  | {
      readonly kind: "opened";
      readonly session: SessionId;
      readonly password: Uint8Array;
      /** The session timeout that was granted. */
      readonly timeoutMs: number;
      /** The further frames of the connection go to the subject of this server and lane (`subjects.ts`). */
      readonly server: number;
      readonly lane: number;
      readonly zxid: Zxid;
    }
  | { readonly kind: "pong"; readonly zxid: Zxid }
  | {
      readonly kind: "result";
      readonly id: number;
      /** For a write, its own zxid; for a read, the last zxid that the read saw. */
      readonly zxid: Zxid;
      readonly result: NativeResult;
    }
  /** Completes the changes up to `through`. All changes of one zxid come together; without changes it only reports progress. */
  | ChangesItem
  /** The lane no longer keeps the changes that would come next, only those after `oldest`. The stream is closed. */
  | { readonly kind: "compacted"; readonly stream: number; readonly oldest: Zxid }
  /** The stream was not opened, or is closed, because what the client asked for is not allowed. */
  | { readonly kind: "streamRefused"; readonly stream: number; readonly code: Code }
  | { readonly kind: "ended"; readonly reason: EndReason };

/** What a gateway sends: an item, or changes that it has encoded for many. */
export type OutputItem = GatewayItem | EncodedChanges;

export type Frame<Item> = { readonly sequence: number; readonly items: readonly Item[] };

export function encodeClientFrame(frame: Frame<ClientItem>): Uint8Array {
  return encodeCbor([frame.sequence, frame.items.map(packClientItem)]);
}

/** Throws a `CborError` or `FieldError` on bytes that are no frame. A malformed request is returned as an item of its own kind. */
export function decodeClientFrame(bytes: Uint8Array): Frame<ReceivedItem> {
  return decodeFrame(bytes, CLIENT_CBOR, unpackClientItem);
}

export function encodeGatewayFrame(frame: Frame<OutputItem>): Uint8Array {
  const { sequence, items } = frame;
  const plain = items.filter((item) => item.kind !== "encodedChanges");
  if (plain.length === items.length) return encodeCbor([sequence, plain.map(packGatewayItem)]);
  const parts = items.map((item) =>
    item.kind === "encodedChanges" ? item : encodeCbor(packGatewayItem(item)),
  );
  return encodeFrameOf(sequence, parts);
}

/** Throws a `CborError` or `FieldError` on bytes that are no frame. */
export function decodeGatewayFrame(bytes: Uint8Array): Frame<GatewayItem> {
  return readChangesFrame(bytes) ?? decodeFrame(bytes, GATEWAY_CBOR, unpackGatewayItem);
}

// These codes are part of the protocol: never reuse one.
const OPEN = 1;
const PING = 2;
const REQUEST = 3;
const OPEN_STREAM = 4;
const CREDIT = 5;
const CLOSE_STREAM = 6;
const TAKEN = 7;
const AUTH = 8;
const ANSWERED = 9;
const OPENED = 11;
const PONG = 12;
const RESULT = 13;
const COMPACTED = 15;
const ENDED = 16;
const STREAM_REFUSED = 17;

/** In the place of `recursive` of a stream, where others have a boolean. */
const CHILDREN = 2;

function packClientItem(item: ClientItem): unknown[] {
  switch (item.kind) {
    case "open":
      return [OPEN, item.version, item.session, item.password, item.timeoutMs];
    case "auth":
      return [AUTH, item.data];
    case "ping":
      return [PING];
    case "taken":
      return [TAKEN, item.sequence];
    case "answered":
      return [ANSWERED, item.number];
    case "request":
      return [REQUEST, item.id, ...packRequest(item.request)];
    case "openStream":
      return [OPEN_STREAM, item.stream, item.path, packRecursive(item), item.after, item.credits];
    case "credit":
      return [CREDIT, item.stream, item.credits];
    default:
      return [CLOSE_STREAM, item.stream];
  }
}

/** Throws if the item does not have the number of its request or stream, without which no refusal could be sent. */
function unpackClientItem(fields: readonly unknown[]): ReceivedItem {
  switch (fields[0]) {
    case OPEN:
      return {
        kind: "open",
        version: count(fields[1]),
        session: count(fields[2]) as SessionId,
        password: new Uint8Array(byteString(fields[3])),
        timeoutMs: count(fields[4]),
      };
    case AUTH:
      return { kind: "auth", data: new Uint8Array(byteString(fields[1])) };
    case PING:
      return { kind: "ping" };
    case TAKEN:
      return { kind: "taken", sequence: count(fields[1]) };
    case ANSWERED:
      return { kind: "answered", number: count(fields[1]) };
    case REQUEST:
      return unpackRequestItem(count(fields[1]), fields);
    case OPEN_STREAM:
      return unpackOpenStream(count(fields[1]), fields);
    case CREDIT: {
      const stream = count(fields[1]);
      const credits = fields[2];
      return isCount(credits) ? { kind: "credit", stream, credits } : badStream(stream);
    }
    case CLOSE_STREAM:
      return { kind: "closeStream", stream: count(fields[1]) };
    default:
      throw new FieldError("unknown item in a client's frame");
  }
}

function unpackRequestItem(id: number, fields: readonly unknown[]): ReceivedItem {
  if (id === 0) throw new FieldError("the number of no request");
  const request = unpackRequest(fields, 2);
  return typeof request === "number"
    ? { kind: "badRequest", id, code: request }
    : { kind: "request", id, request };
}

function unpackOpenStream(stream: number, fields: readonly unknown[]): ReceivedItem {
  const [, , path, packed, after, credits] = fields;
  if (
    typeof path !== "string" ||
    (typeof packed !== "boolean" && packed !== CHILDREN) ||
    !isCount(after) ||
    !isCount(credits)
  ) {
    return badStream(stream);
  }
  const recursive = packed === CHILDREN ? "children" : packed;
  return { kind: "openStream", stream, path, recursive, after: after as Zxid, credits };
}

function packRecursive({ recursive }: { readonly recursive: Recursive }): boolean | number {
  return recursive === "children" ? CHILDREN : recursive;
}

function badStream(stream: number): ReceivedItem {
  return { kind: "badStream", stream, code: Code.badArguments };
}

function packGatewayItem(item: GatewayItem): unknown[] {
  switch (item.kind) {
    case "opened": {
      const { session, password, timeoutMs, server, lane, zxid } = item;
      return [OPENED, session, password, timeoutMs, server, lane, zxid];
    }
    case "pong":
      return [PONG, item.zxid];
    case "result":
      return [RESULT, item.id, item.zxid, ...packResult(item.result)];
    case "changes":
      return [CHANGES, item.stream, item.through, item.changes.map(packChange)];
    case "compacted":
      return [COMPACTED, item.stream, item.oldest];
    case "streamRefused":
      return [STREAM_REFUSED, item.stream, item.code];
    default:
      return [ENDED, item.reason];
  }
}

function unpackGatewayItem(fields: readonly unknown[]): GatewayItem {
  switch (fields[0]) {
    case OPENED:
      return {
        kind: "opened",
        session: count(fields[1]) as SessionId,
        password: new Uint8Array(byteString(fields[2])),
        timeoutMs: count(fields[3]),
        server: count(fields[4]),
        lane: count(fields[5]),
        zxid: count(fields[6]) as Zxid,
      };
    case PONG:
      return { kind: "pong", zxid: count(fields[1]) as Zxid };
    case RESULT:
      return {
        kind: "result",
        id: count(fields[1]),
        zxid: count(fields[2]) as Zxid,
        result: unpackResult(fields, 3),
      };
    case CHANGES:
      return {
        kind: "changes",
        stream: count(fields[1]),
        through: count(fields[2]) as Zxid,
        changes: list(fields[3]).map(unpackChange),
      };
    case COMPACTED:
      return {
        kind: "compacted",
        stream: count(fields[1]),
        oldest: count(fields[2]) as Zxid,
      };
    case STREAM_REFUSED:
      return { kind: "streamRefused", stream: count(fields[1]), code: integer(fields[2]) as Code };
    case ENDED:
      return { kind: "ended", reason: text(fields[1]) as EndReason };
    default:
      throw new FieldError("unknown item in a gateway's frame");
  }
}

function decodeFrame<Item>(
  bytes: Uint8Array,
  profile: CborProfile,
  unpack: (fields: readonly unknown[]) => Item,
): Frame<Item> {
  const frame = list(decodeCbor(bytes, profile));
  const items = list(frame[1]).map((item) => unpack(list(item)));
  return { sequence: count(frame[0]), items };
}
