/** Errors of an ensemble under test, beside those of its clients. */
import { ZooidError } from "../protocol/errors.ts";

/** What the test waits for did not come within the virtual time that there was for it. */
export class StillWaitingError extends ZooidError {
  override readonly name = "StillWaitingError";
  readonly code = "ZOOID_STILL_WAITING";
  readonly retryable = false;
  constructor(withinMs: number) {
    super(`what is waited for has not come within ${withinMs} ms of virtual time`);
  }
}
