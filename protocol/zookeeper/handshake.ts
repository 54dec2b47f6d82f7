/**
 * The handshake of ZooKeeper's protocol: ConnectRequest and ConnectResponse, with and without the newer `readOnly` field. ClickHouse's clients
 * may ask for one of Keeper's versions of the protocol in it (docs/decisions/0038-keeper-extensions.md).
 */
import { PASSWORD_BYTES } from "../ids.ts";
import type { JuteFault, JuteReader, JuteWriter } from "../jute.ts";

/** ClickHouse Keeper's versions: frames are compressed; the numbers of requests have 64 bits; requests carry a trace. */
export const KeeperVersion = { compressed: 10, wideXids: 11, traced: 12 } as const;

export type ConnectRequest = {
  readonly kind: "connect";
  /** The client's version of the protocol. Whatever else than Keeper's it says, it is served as a client of ZooKeeper's. */
  readonly version: number;
  /** With Keeper's version for wide xids, the client may want compression, too. */
  readonly compressed: boolean;
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

/** It is not served, so what is behind the version is not read. */
const TRACED_REQUEST: ConnectRequest = {
  ...{ kind: "connect", version: KeeperVersion.traced, compressed: false, lastZxidSeen: 0 },
  ...{ timeoutMs: 0, session: 0, password: EMPTY, hasReadOnly: false, canBeReadOnly: false },
};

export function readConnectRequest(
  reader: JuteReader,
): ConnectRequest | { readonly kind: "malformed"; readonly fault: JuteFault } {
  const version = reader.int32();
  if (version === KeeperVersion.traced) return TRACED_REQUEST;
  const isWide = version === KeeperVersion.wideXids;
  const compressed = isWide && reader.bool();
  const lastZxidSeen = reader.int64();
  const timeoutMs = reader.int32();
  const session = reader.int64();
  const password = reader.buffer();
  if (reader.fault !== undefined) return { kind: "malformed", fault: reader.fault };
  const hasReadOnly = reader.left > 0 && !isWide;
  return {
    kind: "connect",
    version,
    compressed: compressed || version === KeeperVersion.compressed,
    lastZxidSeen,
    timeoutMs,
    session,
    // No other is kept, however long it is: it is the password of no session.
    password: password?.length === PASSWORD_BYTES ? Uint8Array.from(password) : EMPTY,
    hasReadOnly,
    canBeReadOnly: hasReadOnly && reader.bool(),
  };
}

/**
 * How many bytes of the handshake lie behind the length that its frame tells: ClickHouse's clients do not count the flag in the version for wide
 * xids. `start` is the length and the version, undefined while they are not there.
 */
export function uncountedBytes(start: bigint | undefined): number {
  return start !== undefined && Number(start & 0xffff_ffffn) === KeeperVersion.wideXids ? 1 : 0;
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
  { version, hasReadOnly }: Pick<ConnectRequest, "version" | "hasReadOnly">,
): void {
  const mark = writer.beginFrame();
  // The server's is 0 whatever the client's is, but for the one of Keeper's that is served.
  writer.int32(version === KeeperVersion.wideXids ? version : 0);
  writer.int32(response.timeoutMs).int64(response.session).buffer(response.password);
  if (hasReadOnly) writer.bool(response.readOnly === true);
  writer.endFrame(mark);
}
