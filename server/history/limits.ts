/** How much may be asked of the past, and what the answers may take. No client needs them, which loads all limits of the protocol. */

/** How many changes, children or differences a page of the past has at most, for whoever asks through the API. */
export const API_HISTORY_MAX = 500;

/** Bytes of a value that a change in the history of a znode is shown with. A larger one is asked for by the zxid of the change. */
export const HISTORY_VALUE_BYTES_MAX = 1024;

/** Questions about the past that wait at a node while one is answered. Further ones are refused. */
export const HISTORY_WAITING_MAX = 8;

/**
 * Milliseconds for which whoever asks a node about the past waits, fewer than ADMIN_IDLE_MS_MAX of `protocol/limits.ts`. What has been begun by then goes on, so that who asks
 * again finds more of it done.
 */
export const HISTORY_WAIT_MS_MAX = 25_000;

/** Milliseconds after which a question about the past is given up, with the process that works on it. */
export const HISTORY_WORK_MS_MAX = 300_000;

/** Milliseconds after which the process that reads the past ends when nobody has asked. */
export const HISTORY_IDLE_MS = 30_000;

/** How many znodes may have been touched between two zxids that are compared. Each takes some hundred bytes of the process that compares. */
export const HISTORY_DIFF_ZNODES_MAX = 1_000_000;

/** Characters that a pattern of paths has at most. */
export const FIND_PATTERN_CHARS_MAX = 512;

/** Bytes that are looked for in values at most. */
export const FIND_VALUE_BYTES_MAX = 1024;

/** Milliseconds for which one answer of a search looks; who wants to know the rest asks on. Others who ask for the past have their turn between. */
export const FIND_MS_MAX = 1000;

/** Znodes that one request brings back at most, and bytes of values that it takes in before it ends. */
export const SUBTREE_ZNODES_MAX = 500;
export const SUBTREE_BYTES_MAX: number = 1024 * 1024;
