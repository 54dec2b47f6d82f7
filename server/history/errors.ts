/** Why a question about the past has no answer. The codes are those of the JSON API, the texts say what can be asked instead. */

export type HistoryCode =
  | "ZOOID_BAD_ARGUMENTS"
  /** There was no such znode. */
  | "ZOOID_NO_NODE"
  /** There is no such znode now, and none of the changes that are kept is one of it. */
  | "ZOOID_NO_HISTORY"
  /** The list of access does not let everybody read, and whoever asks is nobody in particular. */
  | "ZOOID_NO_AUTH"
  /** The zxid is later than all that is known to be committed. */
  | "ZOOID_ZXID_AHEAD"
  /** What is kept begins after the zxid. */
  | "ZOOID_ZXID_GONE"
  /** The answer would take more memory than it may. */
  | "ZOOID_HISTORY_TOO_LARGE"
  /** The folder cannot be read as one log: it is damaged, or changes faster than it can be read. */
  | "ZOOID_HISTORY_UNREADABLE"
  /** Too many others have asked before. */
  | "ZOOID_HISTORY_BUSY"
  /** The answer was not there in time. */
  | "ZOOID_HISTORY_SLOW"
  /** The process that reads the past has ended over the question, as when there is no memory for the tree. */
  | "ZOOID_HISTORY_FAILED";

export class HistoryError extends Error {
  override readonly name = "HistoryError";
  readonly code: HistoryCode;

  constructor(code: HistoryCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
