/** Codecs alone: bytes to data, and what is data back to bytes. */
import { isDeepStrictEqual } from "node:util";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { decodeBatch, encodeBatch } from "../../../protocol/batch.ts";
import { CborError } from "../../../protocol/cbor.ts";
import { Code } from "../../../protocol/codes.ts";
import { FieldError } from "../../../protocol/fields.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { JuteReader } from "../../../protocol/jute.ts";
import type { Lifetime } from "../../../protocol/lifetime.ts";
import { PACKET_BYTES_MAX } from "../../../protocol/limits.ts";
import {
  type ClientItem,
  decodeClientFrame,
  decodeGatewayFrame,
  encodeClientFrame,
  encodeGatewayFrame,
  type GatewayItem,
  type ReceivedItem,
} from "../../../protocol/native.ts";
import type { Operation } from "../../../protocol/operations.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { type Frame, FrameReader } from "../../../protocol/zookeeper/frames.ts";
import { readConnectRequest } from "../../../protocol/zookeeper/handshake.ts";
import { readRequest } from "../../../protocol/zookeeper/requests.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { requestFrame } from "../../support/gateway-driver.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import { hex, must, refusal, type Target, utf8 } from "../target.ts";
import { CBOR_TOKENS, varyCbor } from "./cbor-vary.ts";
import { ZOOKEEPER_REQUESTS } from "./zookeeper-requests.ts";

const BYTES_MAX = 1024 * 1024;
/** Requests of one input that are compared: comparing is slower than reading. */
const COMPARED_MAX = 256;
const ZXID = 0x1_0000_0001 as Zxid;
const STAT: Stat = {
  czxid: ZXID,
  mzxid: ZXID,
  ctime: 1_700_000_000_000,
  mtime: 1_700_000_000_000,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0,
  dataLength: 1,
  numChildren: 0,
  pzxid: ZXID,
};

export const JUTE_TOKENS: readonly Uint8Array[] = [
  "ffffffff",
  "00000000",
  "00000001",
  "7fffffff",
  "80000000",
  "0000000e",
  "0000000c",
  "00000065",
  "00000069",
  "fffffff5",
  "ffffffff01ffffffff",
].map(hex);

/** The first byte says how the rest comes in pieces; then frames of ZooKeeper's protocol, one after the other. */
function juteFrames(input: Uint8Array): string {
  const piece = 1 + (input[0] ?? 0);
  const bytes = Buffer.from(input.subarray(1));
  const whole = requestsIn(bytes, bytes.length);
  const pieces = requestsIn(bytes, Math.max(piece, bytes.length >> 10));
  must(whole.length === pieces.length, "there are as many frames however the bytes come");
  const [some, same] = [whole, pieces].map((requests) => requests.slice(-COMPARED_MAX));
  must(isDeepStrictEqual(some, same), "frames are the same however the bytes come");
  return whole
    .map(({ kind }) => kind)
    .slice(0, 4)
    .join(" ");
}

type Read = { readonly kind: string };

function requestsIn(bytes: Buffer, piece: number): Read[] {
  const frames = new FrameReader();
  const reader = new JuteReader();
  const found: Read[] = [];
  for (let at = 0; at < bytes.length; at += piece) {
    frames.push(bytes.subarray(at, at + piece));
    for (;;) {
      const frame = frames.next(PACKET_BYTES_MAX);
      if (frame === undefined) break;
      if (frame.kind === "badLength") return [...found, frame];
      const request = requestIn(frame, reader);
      found.push(request);
      // As at a gateway: there is nobody to answer.
      if (request.kind === "headless") return found;
    }
    frames.settle();
    must(frames.buffered <= 4 + PACKET_BYTES_MAX + piece, "at most one frame and a piece are kept");
  }
  return found;
}

function requestIn({ bytes, from, to }: Frame, reader: JuteReader): Read {
  const request = readRequest(reader.reset(bytes, from, to));
  const { kind } = request;
  if (kind === "refused") return { ...request, kind: `refused ${request.code}` };
  if (kind === "read") return { ...request, kind: `read ${request.read.kind}` };
  return kind === "write" ? { ...request, kind: `write ${request.operation.kind}` } : request;
}

function handshake(input: Uint8Array): string {
  const request = readConnectRequest(new JuteReader().reset(Buffer.from(input)));
  if (request.kind === "malformed") return request.fault;
  must(request.password.buffer.byteLength === request.password.length, "a password is a copy");
  const known = Number.isSafeInteger(request.session) ? "session" : "beyond 53 bits";
  return `connect ${request.hasReadOnly} ${known} ${request.password.length === 16}`;
}

/** The kinds of a frame's items, or why it was refused. */
function frameKind<Item extends { readonly kind: string }>(
  decode: () => { readonly items: readonly Item[] },
  check: (items: readonly Item[]) => void,
): string {
  let kinds = "";
  const refused = refusal(
    () => {
      const { items } = decode();
      kinds = [...new Set(items.map(({ kind }) => kind))].sort().join(" ");
      check(items);
    },
    CborError,
    FieldError,
  );
  return refused?.replaceAll(/\d+/g, "N") ?? kinds;
}

const COMES_BACK = "an item comes back as it was";

/** By bytes: a zero with a sign, which nobody writes, comes back without it. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function clientFrame(input: Uint8Array): string {
  return frameKind(
    () => decodeClientFrame(input),
    (items) => {
      const good = items.filter(isGood);
      const frame = encodeClientFrame({ sequence: 1, items: good });
      const again = decodeClientFrame(frame).items.filter(isGood);
      must(isSame(frame, encodeClientFrame({ sequence: 1, items: again })), COMES_BACK);
    },
  );
}

const isGood = (item: ReceivedItem): item is ClientItem =>
  item.kind !== "badRequest" && item.kind !== "badStream";

function gatewayFrame(input: Uint8Array): string {
  return frameKind(
    () => decodeGatewayFrame(input),
    (items) => {
      const frame = encodeGatewayFrame({ sequence: 1, items });
      const { items: again } = decodeGatewayFrame(frame);
      must(isSame(frame, encodeGatewayFrame({ sequence: 1, items: again })), COMES_BACK);
    },
  );
}

function batch(input: Uint8Array): string {
  return frameKind(
    () => ({ items: decodeBatch(input) }),
    (items) => {
      const again = decodeBatch(encodeBatch(items));
      must(isDeepStrictEqual(again.length, items.length), "an operation comes back");
    },
  );
}

const OPERATIONS: readonly Operation[] = [
  { kind: "createSession", timeoutMs: 4000, password: new Uint8Array(16) },
  { kind: "attachSession", session: 5 as SessionId, timeoutMs: 4000, password: new Uint8Array(16) },
  { kind: "expireSession", session: 5 as SessionId, attachedAt: ZXID },
  ...(
    [
      { kind: "setData", path: "/a", data: new Uint8Array(3), version: -1 },
      {
        kind: "create",
        path: "/a",
        data: null,
        acl: OPEN_ACL,
        mode: { ephemeral: true, sequential: true },
      },
      { kind: "setAcl", path: "/a", acl: OPEN_ACL, version: 1 },
      {
        kind: "multi",
        operations: [
          { kind: "check", path: "/a", version: 0 },
          { kind: "delete", path: "/a", version: 1 },
        ],
      },
      { kind: "sync", path: "/" },
      { kind: "closeSession" },
    ] as const
  ).map((operation): Operation => {
    return { kind: "client", session: 5 as SessionId, attachedAt: ZXID, operation };
  }),
];

const CLIENT_ITEMS: readonly ClientItem[] = [
  {
    kind: "open",
    version: 1,
    session: 0 as SessionId,
    password: new Uint8Array(16),
    timeoutMs: 9000,
  },
  { kind: "ping" },
  {
    kind: "request",
    id: 1,
    request: { kind: "read", read: { kind: "getData", path: "/a", watch: false } },
  },
  {
    kind: "request",
    id: 2,
    request: {
      kind: "write",
      operation: {
        kind: "create",
        path: "/a",
        data: null,
        acl: OPEN_ACL,
        mode: { ephemeral: false, sequential: true },
      },
    },
  },
  {
    kind: "request",
    id: 3,
    request: {
      kind: "write",
      operation: { kind: "setData", path: "/ä", data: new Uint8Array(9), version: 2 },
    },
  },
  { kind: "request", id: 4, request: { kind: "write", operation: { kind: "closeSession" } } },
  { kind: "request", id: 5, request: { kind: "whoAmI" } },
  {
    kind: "request",
    id: 6,
    request: {
      kind: "write",
      operation: {
        kind: "multi",
        operations: [
          {
            kind: "create",
            path: "/a",
            data: null,
            acl: [{ permissions: 1, scheme: "digest", id: "ann:x" }],
            mode: { ephemeral: false, sequential: false, lifetime: 1000 as Lifetime },
            unlessExists: true,
          },
          { kind: "checkStat", path: "/a", version: -1, stat: STAT },
          { kind: "removeRecursive", path: "/a", znodesMax: 9 },
        ],
      },
    },
  },
  { kind: "openStream", stream: 1, path: "/", recursive: true, after: ZXID, credits: 100 },
  { kind: "credit", stream: 1, credits: 5 },
  { kind: "closeStream", stream: 1 },
];

const GATEWAY_ITEMS: readonly GatewayItem[] = [
  {
    kind: "opened",
    session: 5 as SessionId,
    password: new Uint8Array(16),
    timeoutMs: 4000,
    server: 1,
    lane: 1,
    zxid: ZXID,
  },
  { kind: "pong", zxid: ZXID },
  { kind: "result", id: 1, zxid: ZXID, result: { kind: "error", code: Code.noNode } },
  {
    kind: "result",
    id: 2,
    zxid: ZXID,
    result: { kind: "data", data: new Uint8Array(2), stat: STAT },
  },
  { kind: "result", id: 3, zxid: ZXID, result: { kind: "children", children: ["a"], stat: STAT } },
  { kind: "result", id: 4, zxid: ZXID, result: { kind: "created", path: "/a", stat: STAT } },
  {
    kind: "changes",
    stream: 1,
    through: ZXID,
    changes: [{ zxid: ZXID, index: 0, kind: "created", path: "/a", stat: STAT, data: null }],
  },
  { kind: "compacted", stream: 1, oldest: ZXID },
  { kind: "streamRefused", stream: 1, code: Code.badArguments },
  { kind: "ended", reason: "gap" },
];

const owned = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);
const cbor = { tokens: CBOR_TOKENS, vary: varyCbor, bytesMax: BYTES_MAX } as const;

export const CODECS: readonly Target[] = [
  {
    name: "jute",
    tokens: [...JUTE_TOKENS, utf8("/a"), utf8("world"), utf8("anyone")],
    bytesMax: BYTES_MAX,
    seeds: () =>
      [
        Buffer.concat([hex("ff"), ...ZOOKEEPER_REQUESTS.map((each) => requestFrame(1, each))]),
        ...ZOOKEEPER_REQUESTS.map((each) => Buffer.concat([hex("05"), requestFrame(1, each)])),
      ].map(owned),
    run: juteFrames,
  },
  {
    name: "handshake",
    tokens: JUTE_TOKENS,
    bytesMax: 4096,
    seeds: () =>
      [connectFrame({ port: 0 }), connectFrame({ port: 0, readOnly: "absent" })].map((bytes) =>
        owned(bytes.subarray(4)),
      ),
    run: handshake,
  },
  {
    name: "client-cbor",
    ...cbor,
    seeds: () => [
      ...CLIENT_ITEMS.map((item) => owned(encodeClientFrame({ sequence: 1, items: [item] }))),
      owned(encodeClientFrame({ sequence: 2 ** 40, items: CLIENT_ITEMS })),
    ],
    run: clientFrame,
  },
  {
    name: "gateway-cbor",
    ...cbor,
    seeds: () => [
      ...GATEWAY_ITEMS.map((item) => owned(encodeGatewayFrame({ sequence: 1, items: [item] }))),
      owned(encodeGatewayFrame({ sequence: 3, items: GATEWAY_ITEMS })),
    ],
    run: gatewayFrame,
  },
  {
    name: "batch-cbor",
    ...cbor,
    seeds: () => [
      ...OPERATIONS.map((operation) => owned(encodeBatch([operation]))),
      owned(encodeBatch(OPERATIONS)),
    ],
    run: batch,
  },
];
