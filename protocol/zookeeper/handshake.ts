/** The handshake of ZooKeeper's protocol: ConnectRequest and ConnectResponse, with and without the newer `readOnly` field. */
import { PASSWORD_BYTES } from "../ids.ts";
import type { JuteFault, JuteReader, JuteWriter } from "../jute.ts";

export type ConnectRequest = {
  readonly kind: "connect";
  /** 64 bits as a double, which is exact only for safe integers. */
  readonly lastZxidSeen: number;
  readonly timeoutMs: number;
  /** 0 asks for a new session. */
  readonly session: number;
  /** Empty if the client sent one of another length than passwords have. */
  readonly password: Uint8Array;
  /** Clients before 3.4 do not send `readOnly` and do not expect it in the response. */
  readonly hasReadOnly: boolean;
  /** The client would rather be served by a server without a quorum, which only reads, than wait. */
  readonly canBeReadOnly: boolean;
};

const EMPTY: Uint8Array = new Uint8Array(0);

export function readConnectRequest(
  reader: JuteReader,
): ConnectRequest | { readonly kind: "malformed"; readonly fault: JuteFault } {
  reader.int32(); // The protocol version: the server's is 0 whatever the client's is.
  const lastZxidSeen = reader.int64();
  const timeoutMs = reader.int32();
  const session = reader.int64();
  const password = reader.buffer();
  if (reader.fault !== undefined) return { kind: "malformed", fault: reader.fault };
  const hasReadOnly = reader.left > 0;
  return {
    kind: "connect",
    lastZxidSeen,
    timeoutMs,
    session,
    // No other is kept, however long it is: it is the password of no session.
    password: password?.length === PASSWORD_BYTES ? Uint8Array.from(password) : EMPTY,
    hasReadOnly,
    canBeReadOnly: hasReadOnly && reader.bool(),
  };
}

export type ConnectResponse = {
  readonly timeoutMs: number;
  readonly session: number;
  readonly password: Uint8Array;
  /** The server only reads. Default false. */
  readonly readOnly?: boolean;
};

/** The response to a client whose session has expired. The connection closes after it. */
export const EXPIRED_RESPONSE: ConnectResponse = {
  timeoutMs: 0,
  session: 0,
  password: new Uint8Array(PASSWORD_BYTES),
};

export function writeConnectResponse(
  writer: JuteWriter,
  response: ConnectResponse,
  hasReadOnly: boolean,
): void {
  const mark = writer.beginFrame();
  writer.int32(0).int32(response.timeoutMs).int64(response.session).buffer(response.password);
  if (hasReadOnly) writer.bool(response.readOnly === true);
  writer.endFrame(mark);
}
