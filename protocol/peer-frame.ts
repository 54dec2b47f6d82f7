/**
 * The frame around every message between nodes. It says who sends the message, which is checked before anything in the message is
 * believed. A frame is a CBOR array of two items: the header, a byte string of 64 bytes, and the body. So one call of the encoder
 * makes both, without a copy of a body that may have megabytes. All messages of a process share one header until something in it changes.
 *
 *   offset  size  field (big-endian)
 *   0       3     `82 58 40`: an array of two, a byte string of 64 bytes
 *   3       2     magic, `ZF`
 *   5       1     format version, 3: of the frame, and of the messages in it (`docs/decisions/0023-counting.md`)
 *   6       1     kind: 1 message, 2 refusal
 *   7       1     authentication: 0 none, 1 HMAC-SHA256 in a trailer behind the body (`server/authenticated-transport.ts`)
 *   8       1     reserved, 0
 *   9       2     the sender's server id
 *   11      16    the ensemble's id; zeros if the sender belongs to none yet
 *   27      16    the identity of the sender's folder
 *   43      8     the incarnation of that folder: how often it was started
 *   51      8     nonce of the process
 *   59      4     version of the configuration that the sender uses; 0 for none
 *   63      4     reserved, 0
 *   67            body: the message, or the refusal, as CBOR
 */
import { encodeCbor } from "./cbor.ts";
import { type EnsembleId, hexOfBytes, type Identity, IDENTITY_BYTES } from "./identity.ts";
import { type ServerId, SERVER_ID_MAX, SERVER_ID_MIN } from "./ids.ts";
import { getUint53, setUint53 } from "./record.ts";

const HEADER_BYTES = 64;
/**
 * The bytes that make an array of the header and the body. The offsets below that have no FRAME in their name are within the
 * header.
 */
const ARRAY_HEAD: readonly number[] = [0x82, 0x58, HEADER_BYTES];
/** The bytes of everything before the body. */
export const PEER_FRAME_HEAD_BYTES: number = ARRAY_HEAD.length + HEADER_BYTES;
export const PEER_FRAME_VERSION = 3;
const AUTHENTICATION_OFFSET = 4;
/** Where the authentication byte is within the frame. */
export const PEER_FRAME_AUTHENTICATION_OFFSET: number = ARRAY_HEAD.length + AUTHENTICATION_OFFSET;
const MAGIC = 0x5a46;
const KIND_MESSAGE = 1;
const KIND_REFUSAL = 2;
const ENSEMBLE_ID_OFFSET = 8;
const IDENTITY_OFFSET = 24;
const NO_ID: string = "00".repeat(IDENTITY_BYTES);

/** Says who sends a frame. */
export type PeerFrameHeader = {
  readonly server: ServerId;
  readonly ensembleId: EnsembleId | undefined;
  readonly identity: Identity;
  readonly incarnation: number;
  readonly nonce: number;
  readonly configurationVersion: number;
};

export type PeerFrameKind = "message" | "refusal";

export type PeerFrame = {
  readonly kind: PeerFrameKind;
  readonly header: PeerFrameHeader;
  /** The encoded message or refusal. It is a view into the frame. */
  readonly body: Uint8Array;
};

export type PeerFrameFault =
  /** The bytes are shorter than a header or do not begin like one. */
  | "notAFrame"
  | "badVersion"
  /** A field has a value that no node writes. */
  | "badField";

export function encodeHeader(header: PeerFrameHeader, kind: PeerFrameKind): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC);
  view.setUint8(2, PEER_FRAME_VERSION);
  view.setUint8(3, kind === "message" ? KIND_MESSAGE : KIND_REFUSAL);
  view.setUint16(6, header.server);
  bytes.set(bytesOfHex(header.ensembleId ?? NO_ID), ENSEMBLE_ID_OFFSET);
  bytes.set(bytesOfHex(header.identity), IDENTITY_OFFSET);
  setUint53(view, 40, header.incarnation);
  setUint53(view, 48, header.nonce);
  view.setUint32(56, header.configurationVersion);
  return bytes;
}

/** Returns `message` in its frame. The result may be a view into a larger buffer, like everything that `encodeCbor` returns. */
export function encodeFrame(header: Uint8Array, message: unknown): Uint8Array {
  return encodeCbor([header, message]);
}

/** Reads the header only, and so a constant number of bytes. */
export function decodeFrame(
  bytes: Uint8Array,
): PeerFrame | { readonly fault: PeerFrameFault; readonly version?: number } {
  if (bytes.length < PEER_FRAME_HEAD_BYTES) return { fault: "notAFrame" };
  if (ARRAY_HEAD.some((byte, at) => bytes[at] !== byte)) return { fault: "notAFrame" };
  const header = bytes.subarray(ARRAY_HEAD.length, PEER_FRAME_HEAD_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  if (view.getUint16(0) !== MAGIC) return { fault: "notAFrame" };
  const version = view.getUint8(2);
  if (version !== PEER_FRAME_VERSION) return { fault: "badVersion", version };
  const kind = view.getUint8(3);
  const server = view.getUint16(6);
  const [incarnation, nonce] = [getUint53(view, 40), getUint53(view, 48)];
  const sound =
    (kind === KIND_MESSAGE || kind === KIND_REFUSAL) &&
    view.getUint8(AUTHENTICATION_OFFSET) === 0 &&
    view.getUint8(5) === 0 &&
    view.getUint32(60) === 0 &&
    server >= SERVER_ID_MIN &&
    server <= SERVER_ID_MAX &&
    Number.isSafeInteger(incarnation) &&
    Number.isSafeInteger(nonce);
  if (!sound) return { fault: "badField" };
  const ensembleId = hexAt(header, ENSEMBLE_ID_OFFSET);
  return {
    kind: kind === KIND_MESSAGE ? "message" : "refusal",
    header: {
      server: server as ServerId,
      ensembleId: ensembleId === NO_ID ? undefined : ensembleId,
      identity: hexAt(header, IDENTITY_OFFSET),
      incarnation,
      nonce,
      configurationVersion: view.getUint32(56),
    },
    body: bytes.subarray(PEER_FRAME_HEAD_BYTES),
  };
}

/** Whether two frames have the same head: then a check of the one holds for the other. */
export function isSameHead(one: Uint8Array, other: Uint8Array): boolean {
  if (other.length < PEER_FRAME_HEAD_BYTES) return false;
  for (let at = 0; at < PEER_FRAME_HEAD_BYTES; at += 1) {
    if (one[at] !== other[at]) return false;
  }
  return true;
}

function hexAt(bytes: Uint8Array, offset: number): string {
  return hexOfBytes(bytes.subarray(offset, offset + IDENTITY_BYTES));
}

function bytesOfHex(text: string): Uint8Array {
  const bytes = new Uint8Array(IDENTITY_BYTES);
  for (let at = 0; at < IDENTITY_BYTES; at += 1) {
    bytes[at] = Number.parseInt(text.slice(at * 2, at * 2 + 2), 16);
  }
  return bytes;
}
