/** A program: what some clients do, one step after the other. It is plain data, so that a seed makes the same each time. */

/**
 * Bytes, one a character of U+0000 to U+00FF. In a path `^` stands for a path that is the program's own, and `~` for one znode there, below
 * which it does what it does, since programs share a server.
 */
export type Bytes = string;
export type Text = Bytes | null;

export type AclEntry = { readonly perms: number; readonly scheme: Text; readonly id: Text };
export type AclList = readonly AclEntry[] | null;

/** The zxid that a client says it has seen: none, the last it was told, or one that is still to come. */
export type Seen = "none" | "last" | "future" | "negative";

export type Request = {
  /** A key of the table of operations. */
  readonly op: string;
  readonly path: Text;
  readonly data?: Text;
  readonly acl?: AclList;
  /** What an auth packet holds: its type, the scheme, and the proof. */
  readonly proof?: AclEntry;
  readonly version?: number;
  readonly flags?: number;
  readonly ttl?: number;
  /** A byte, since any but 0 is true. */
  readonly watch?: number;
  /** A kind of watch or watcher. */
  readonly type?: number;
  readonly seen?: Seen;
  /** Those of setWatches, in its order. */
  readonly lists?: readonly (readonly Text[] | null)[];
  readonly members?: readonly Request[];
  /** The op code in place of the operation's own. */
  readonly code?: number;
  /** Bytes behind the request, in its frame. */
  readonly tail?: Bytes;
  /** How many of the last bytes are left out of the frame. */
  readonly cut?: number;
};

export type Handshake = {
  readonly timeoutMs: number;
  /** The connection whose session is asked for; undefined for a new one. */
  readonly of?: number;
  readonly seen: Seen;
  /** A byte; undefined leaves it out, as clients before 3.4 do. */
  readonly readOnly: number | undefined;
  readonly version: number;
  readonly password: "own" | "wrong" | "short" | "null" | "long" | "huge";
  readonly tail?: Bytes;
  readonly cut?: number;
};

export type Step =
  /** A new connection, which has this number from now on, to the leader, node 0, or to one that follows, where there are such. */
  | {
      readonly kind: "open";
      readonly client: number;
      readonly node: number;
      readonly handshake: Handshake;
    }
  /** All requests in one write. */
  | { readonly kind: "send"; readonly client: number; readonly requests: readonly Request[] }
  /** A frame that is no request, whatever its length says. */
  | { readonly kind: "raw"; readonly client: number; readonly bytes: Bytes }
  /** The connection breaks. Its session lives on. */
  | { readonly kind: "cut"; readonly client: number }
  /** The connection breaks, and the session is waited for to expire. */
  | { readonly kind: "expire"; readonly client: number };

export type Program = {
  readonly seed: number;
  /** Whether what it writes is limited by a quota, so that writes may be refused by what was counted before them. */
  readonly isLimited: boolean;
  readonly steps: readonly Step[];
};
