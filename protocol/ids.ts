/** The numbers that name nodes, lanes and sessions. */

/** A node's number in its ensemble, 0 to 255 as ZooKeeper's `myid`. */
export type ServerId = number & { readonly __brand: "ServerId" };
export const SERVER_ID_MIN = 0;
export const SERVER_ID_MAX = 255;

/**
 * A session's id: the zxid of the transaction that created it, so it is unique without a clock or chance, fits in 53 bits
 * and is never 0. ZooKeeper's clients treat it as an opaque 64-bit number.
 */
export type SessionId = number & { readonly __brand: "SessionId" };
export const SESSION_NONE: SessionId = 0 as SessionId;

/** As ZooKeeper's tools write it. */
export function formatSession(session: number): string {
  return `0x${session.toString(16)}`;
}

/** A session's password, as in ZooKeeper's handshake; random here. */
export const PASSWORD_BYTES = 16;

/**
 * Who submits batches: one incarnation of one tree lane of one node. `incarnation` is larger for every later start; the batches of an
 * incarnation are numbered from 1.
 */
export type Submitter = {
  readonly server: ServerId;
  readonly lane: number;
  readonly incarnation: number;
};
