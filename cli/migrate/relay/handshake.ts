/** The first frame of a connection: which session its client asks for. What of it is changed on the way to the target. */
import { JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import {
  type ConnectRequest,
  EXPIRED_RESPONSE,
  KeeperVersion,
  readConnectRequest,
  writeConnectResponse,
} from "../../../protocol/zookeeper/handshake.ts";

/** `version`, `lastZxidSeen` and `timeOut` stand before the session. Source: ZooKeeper's ConnectRequest. */
const LAST_ZXID_AT = 4;
const SESSION_AT = 16;
/** `version` and `timeOut` stand before it in the answer. Source: ZooKeeper's ConnectResponse. */
const GRANTED_AT = 8;

export type Handshake = {
  readonly request: ConnectRequest;
  /** All 64 bits; 0 asks for a new session. */
  readonly session: bigint;
};

/** Returns undefined for a frame that is none, or one of those dialects of ClickHouse Keeper that cannot be read on the way. */
export function readHandshake(frame: Buffer): Handshake | undefined {
  const request = readConnectRequest(new JuteReader().reset(frame));
  if (request.kind === "malformed" || frame.length < SESSION_AT + 8) return undefined;
  const { version } = request;
  const isDialect = version >= KeeperVersion.compressed && version <= KeeperVersion.traced;
  return isDialect ? undefined : { request, session: frame.readBigInt64BE(SESSION_AT) };
}

/** The session that a server has granted; 0 if it refuses the one that was asked for. */
export function grantedSession(frame: Buffer): bigint {
  return frame.length < GRANTED_AT + 8 ? 0n : frame.readBigInt64BE(GRANTED_AT);
}

/**
 * A client that asks the target for a new session has seen nothing of it. Some name the last zxid of their former session all the same, and a server
 * whose zxids are smaller would not take them.
 */
export function withNothingSeen(frame: Buffer): Buffer {
  const changed = Buffer.from(frame);
  changed.writeBigInt64BE(0n, LAST_ZXID_AT);
  return changed;
}

/** What a server answers to a session that it does not know. */
export function expiredAnswer(request: ConnectRequest): Uint8Array {
  const writer = new JuteWriter();
  writeConnectResponse(writer, EXPIRED_RESPONSE, request);
  return writer.take();
}

export function framed(frame: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(frame.length);
  return Buffer.concat([length, frame]);
}
