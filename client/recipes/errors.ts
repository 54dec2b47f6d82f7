/** The errors of recipes. Callers match `code`, which is stable. */
import { ZooidError, type ZooidErrorOptions } from "../../protocol/errors.ts";

/** Why a claim is lost. */
export type LostBecause =
  /** The ensemble may have ended the session: it was not heard of for too long. */
  | "silence"
  /** The session is over. */
  | "session ended"
  /** Somebody else has deleted its znode. */
  | "deleted"
  /** Its holder has given it back. */
  | "released";

/** What was held, such as a lock, is not held any more. It is the reason of the claim's `signal`. */
export class ClaimLostError extends ZooidError {
  override readonly name = "ClaimLostError";
  readonly code = "ZOOID_CLAIM_LOST";
  readonly retryable = false;
  /** The znode that stood for it; the path of the work where `once` has lost its run. */
  readonly path: string;
  /** Why it is lost. */
  readonly because: LostBecause;
  constructor(path: string, because: LostBecause, options?: ZooidErrorOptions) {
    super(`${path} is not held any more: ${SAID[because]}`, options);
    this.path = path;
    this.because = because;
  }
}

const SAID: Readonly<Record<LostBecause, string>> = {
  silence: "the ensemble has not answered for so long that it may have ended the session",
  "session ended": "the session is over",
  deleted: "its znode was deleted by somebody else",
  released: "it was released",
};

/** What was waited for did not come within `waitMs`. */
export class NotAcquiredError extends ZooidError {
  override readonly name = "NotAcquiredError";
  readonly code = "ZOOID_NOT_ACQUIRED";
  readonly retryable = true;
  /** The path of what was waited for. */
  readonly path: string;
  constructor(path: string, waitMs: number, options?: ZooidErrorOptions) {
    super(`${path}: others held it for all of the ${waitMs} ms that were given`, options);
    this.path = path;
  }
}

/** The service has no instance that may be picked. */
export class NoInstanceError extends ZooidError {
  override readonly name = "NoInstanceError";
  readonly code = "ZOOID_NO_INSTANCE";
  readonly retryable = true;
  /** The path of the service. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`${path} has no instance that may be picked`, options);
    this.path = path;
  }
}
