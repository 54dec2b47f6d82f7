/**
 * ZooKeeper's four-letter words: plain-text questions asked with the first four bytes of a connection. Source: FourLetterCommands.
 */

/** The words that zooid answers. */
export const SERVED_WORDS: readonly string[] = ["ruok", "srvr", "stat", "mntr", "isro", "envi"];

/** ZooKeeper's other words. None can be the length of a frame, so they are recognised and refused. */
export const UNSERVED_WORDS: readonly string[] =
  "conf cons crst dirs dump gtmk hash srst stmk wchc wchp wchs".split(" ");
