/** What is known of a session. */

/** Null: nobody has told it. */
export type Session = {
  /** In hexadecimal. */
  readonly session: string;
  /** The server to which its client is connected, by its number or its address. */
  readonly server: string | null;
  readonly address: string | null;
  readonly timeoutMs: number | null;
  readonly ephemerals: number | null;
  readonly watches: number | null;
  readonly received: number | null;
  readonly outstanding: number | null;
  readonly lastZxid: string | null;
  readonly lastOperation: string | null;
};

/** What is known of a session of which only its number is. */
export const UNKNOWN_SESSION: Session = {
  ...{ session: "", server: null, address: null, timeoutMs: null, ephemerals: null, watches: null },
  ...{ received: null, outstanding: null, lastZxid: null, lastOperation: null },
};

/** What one server tells. */
export type Report = {
  readonly sessions: readonly Session[];
  /** What it did not tell, and how it is brought to. */
  readonly missing: readonly string[];
};
