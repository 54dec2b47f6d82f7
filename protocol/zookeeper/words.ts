/**
 * ZooKeeper's four-letter words: plain-text questions asked with the first four bytes of a connection. None can be the length of a
 * frame. Source: FourLetterCommands of ZooKeeper 3.8.
 */

/** The words that are answered unless the configuration names others: those that cost little, and change and list nothing. */
export const DEFAULT_WORDS: readonly string[] = ["ruok", "srvr", "stat", "mntr", "isro", "envi"];

/**
 * Words of zooid's own, whose answers are JSON: `sess`, the sessions; `busy`, what is asked for most, and by whom; `elec`, the last elections;
 * `heat`, how long requests took lately; `slow`, the last slow requests and where their time went.
 */
export const OWN_WORDS: readonly string[] = ["busy", "elec", "heat", "sess", "slow"];

/** All words. */
export const WORDS: readonly string[] = [
  ...DEFAULT_WORDS,
  ..."conf cons crst dirs dump gtmk hash srst stmk wchc wchp wchs".split(" "),
  ...OWN_WORDS,
];

/**
 * Who watches a znode, or what a session watches, in JSON: `wtch /path` or `wtch 0x100000001`. It is asked over NATS alone, since on the client port
 * nothing can stand behind a word.
 */
export const WORD_WITH_ARGUMENT = "wtch";

/** The words that are answered over NATS, whatever the configuration names: NATS has users of its own. */
export const WORDS_OVER_NATS: readonly string[] = [
  "srvr",
  "mntr",
  ...OWN_WORDS,
  WORD_WITH_ARGUMENT,
];

/** This word is answered whatever the configuration says: ZooKeeper's scripts ask it. */
export const WORD_ALWAYS = "srvr";

/** `stmk` is followed by the mask as a 64-bit number, highest byte first. */
export const WORD_WITH_MASK = "stmk";

/** ZooKeeper's trace mask when nobody has set another. */
export const TRACE_MASK_DEFAULT = 306n;
