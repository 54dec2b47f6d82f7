/** The sessions as replicated state: which attachment is valid, and which ephemerals end with which session. */
import type { Who } from "../../../protocol/identities.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { Operation } from "../../../protocol/operations.ts";
import type { SnapshotSession } from "../../../protocol/snapshot-entries.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { SessionChanges } from "../messages.ts";
import type { Requests } from "./requests.ts";
import type { ZnodeId } from "./znodes.ts";

export type Session = {
  readonly id: SessionId;
  readonly password: Uint8Array;
  timeoutMs: number;
  /** The zxid of the last attach. Operations of an earlier attachment are refused (`sessionMoved`). */
  attachedAt: Zxid;
  /** The address of the connection that attached it, as an identity. Undefined: it has none. */
  address: string | undefined;
  /** Who its client is while it has proved nothing. Undefined until it writes with this address. */
  who: Who | undefined;
  /** The session's ephemerals. Undefined until there is the first. */
  ephemerals: Set<ZnodeId> | undefined;
  /** What its numbered writes have come to. Undefined until there is the first. */
  requests: Requests | undefined;
  /** The number of the last cut that has written this session to its snapshot. */
  cut: number;
};

export type Sessions = Map<SessionId, Session>;

export function createSession(
  sessions: Sessions,
  zxid: Zxid,
  { timeoutMs, password, address }: Extract<Operation, { readonly kind: "createSession" }>,
): Session {
  const id = zxid as number as SessionId;
  return restoreSession(sessions, { id, password, timeoutMs, attachedAt: zxid, address });
}

/** Adds a session of a snapshot. Its ephemerals are added when their znodes are loaded. */
export function restoreSession(sessions: Sessions, from: SnapshotSession): Session {
  const { id, timeoutMs, attachedAt } = from;
  const address = ownText(from.address);
  const password = new Uint8Array(from.password.length);
  password.set(from.password);
  const none = { who: undefined, ephemerals: undefined, requests: undefined, cut: 0 };
  const session: Session = { id, password, timeoutMs, attachedAt, address, ...none };
  sessions.set(id, session);
  return session;
}

/** A decoded string may be a slice that keeps the memory of its whole batch alive. */
export function ownText<Text extends string | undefined>(text: Text): Text {
  return (text === undefined ? text : ` ${text}`.slice(1)) as Text;
}

/** Compares in a time that does not depend on where the first difference is, so that nobody can guess a password byte by byte. */
export function samePassword(session: Session, password: Uint8Array): boolean {
  if (session.password.length !== password.length) return false;
  let difference = 0;
  for (let index = 0; index < password.length; index++) {
    difference |= (session.password[index] ?? 0) ^ (password[index] ?? 0);
  }
  return difference === 0;
}

/** What became of the sessions that were touched. Undefined if none was. */
export function sessionChanges(
  sessions: Sessions,
  touched: ReadonlySet<SessionId>,
): SessionChanges | undefined {
  if (touched.size === 0) return undefined;
  const attached: SessionChanges["attached"][number][] = [];
  const closed: SessionId[] = [];
  for (const id of touched) {
    const session = sessions.get(id);
    if (session === undefined) closed.push(id);
    else {
      const { timeoutMs, attachedAt } = session;
      attached.push({ session: id, timeoutMs, attachedAt });
    }
  }
  return { kind: "sessionChanges", attached, closed };
}
