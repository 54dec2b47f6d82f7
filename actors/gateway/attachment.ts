/**
 * A connection comes to its session and loses it in the same way with both protocols: checking, attaching, attached, closing,
 * ended. `enter` is the only place where the phase changes; `followSessions` says what an attach elsewhere, or a close, does to it.
 */
import { SESSION_NONE, type SessionId } from "../../protocol/ids.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { SessionChanges } from "../tree/messages.ts";

/** The client asks for this session. `session` is SESSION_NONE for a new one, `timeoutMs` is what is granted. */
export type SessionWish = {
  readonly session: number;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
};

export type Attachment<Wish extends SessionWish = SessionWish> =
  /** The session is there already: the lane's tree is asked whether the password is the session's. */
  | {
      readonly kind: "checking";
      readonly wish: Wish;
      readonly sinceMs: number;
      /** There is no leader, and the connection is to be served without one. */
      readonly readOnly?: true;
    }
  /**
   * The log is asked to create or to attach the session. `supersededAt` is the last zxid at which the session was attached to
   * another connection, or Infinity once it was closed: the result that is under way may be older than that.
   */
  | { readonly kind: "attaching"; readonly wish: Wish; supersededAt: number }
  | Served
  /** Nothing more is read or sent. */
  | { readonly kind: "ended" };

/**
 * The connection has its session. `attachedAt` is the zxid of the operation that attached it; the client's operations carry it, so
 * that the tree refuses those of an older connection. `closing`: the connection's last request is under way. Nothing behind that
 * request is read, and the reply to it ends the connection.
 */
export type Served = {
  readonly kind: "attached" | "closing";
  readonly session: SessionId;
  readonly attachedAt: Zxid;
  readonly timeoutMs: number;
  /** The connection is served without a leader. `local`: nobody else knows its session. */
  readonly readOnly?: "local" | "known";
};

/** A ZooKeeper connection is in one of these phases before it asks for a session. */
type Unattached = { readonly kind: "opened" | "word" | "awaitingLeader" | "awaitingToken" };

/** Both protocols know this of a connection. */
export type Attachable = {
  phase: Attachment | Unattached;
  /** The leader counts the session's timeout from this time or later. */
  leaderHeardMs: number;
};

/** A gateway finds its connections by their sessions. */
export type Sessions<Connection> = {
  /** A session has one connection at most. */
  readonly holders: Map<SessionId, Connection>;
  /** Connections in phase `attaching`. The session may have another holder meanwhile. */
  readonly attaching: Map<SessionId, Set<Connection>>;
  /** Connections in phase `checking` whose session is of an epoch above the leader's. */
  readonly impossible: Set<Connection>;
  /** Connections with answers that may not leave before the leader has heard of the session; see contact.ts. */
  readonly withheld: Set<Connection>;
};

export function newSessions<Connection>(): Sessions<Connection> {
  return {
    holders: new Map(),
    attaching: new Map(),
    impossible: new Set(),
    withheld: new Set(),
  };
}

/** Returns the session that the connection has, or undefined. */
export function servedBy({ phase }: Attachable): Served | undefined {
  return phase.kind === "attached" || phase.kind === "closing" ? phase : undefined;
}

/** Returns the timeout of the session that the connection asks for or has. */
export function timeoutMsOf(phase: Exclude<Attachment, { readonly kind: "ended" }>): number {
  return "wish" in phase ? phase.wish.timeoutMs : phase.timeoutMs;
}

/** Moves the connection to its next phase, and removes what belonged to the one before. */
export function enter<Connection extends Attachable>(
  { holders, attaching, impossible, withheld }: Sessions<Connection>,
  connection: Connection,
  next: Connection["phase"],
): void {
  const before: Attachable["phase"] = connection.phase;
  if (before.kind === "checking") impossible.delete(connection);
  if (before.kind === "attaching") remove(attaching, before.wish.session as SessionId, connection);
  if (next.kind === "ended" && servedBy(connection) !== undefined) {
    const { session } = before as Served;
    if (holders.get(session) === connection) holders.delete(session);
    withheld.delete(connection);
  }
  connection.phase = next;
  if (next.kind === "attached") holders.set(next.session, connection);
  if (next.kind !== "attaching" || next.wish.session === SESSION_NONE) return;
  const session = next.wish.session as SessionId;
  const others = attaching.get(session) ?? new Set();
  attaching.set(session, others.add(connection));
}

/** The connection's last request has been taken. */
export function enterClosing<Connection extends Attachable>(
  sessions: Sessions<Connection>,
  connection: Connection,
): void {
  const served = servedBy(connection);
  if (served === undefined) return;
  enter(sessions, connection, { ...served, kind: "closing" });
}

/** Calls `end` for each connection whose session was attached to another one, or closed. */
export function followSessions<Connection extends Attachable>(
  sessions: Sessions<Connection>,
  changes: SessionChanges,
  end: (connection: Connection, reason: "moved" | "expired") => void,
): void {
  const { holders } = sessions;
  for (const { session, attachedAt } of changes.attached) {
    const holder = holders.get(session);
    const served = holder === undefined ? undefined : servedBy(holder);
    if (holder !== undefined && served !== undefined && served.attachedAt < attachedAt) {
      end(holder, "moved");
    }
    supersede(sessions, session, attachedAt);
  }
  for (const session of changes.closed) {
    const holder = holders.get(session);
    // The reply to the client's own closeSession is still to come; it ends the connection.
    if (holder?.phase.kind === "attached") end(holder, "expired");
    supersede(sessions, session, Number.POSITIVE_INFINITY);
  }
}

/** The results that are under way to these connections may be older than this change of their session. */
function supersede<Connection extends Attachable>(
  { attaching }: Sessions<Connection>,
  session: SessionId,
  at: number,
): void {
  for (const { phase } of attaching.get(session) ?? []) {
    if (phase.kind === "attaching" && at > phase.supersededAt) phase.supersededAt = at;
  }
}

function remove<Connection>(
  attaching: Map<SessionId, Set<Connection>>,
  session: SessionId,
  connection: Connection,
): void {
  const others = attaching.get(session);
  others?.delete(connection);
  if (others?.size === 0) attaching.delete(session);
}
