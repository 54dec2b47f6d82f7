/** Errors of a node that lives in a user's own process. Callers match `code`, which is stable, and never the text. */
import { ZooidError } from "../protocol/errors.ts";
import { type Problem, problemsText } from "./config/node-config.ts";

/** Settings are wrong. `problems` has all that is wrong with them; nothing was started. */
export class ConfigurationError extends ZooidError {
  override readonly name = "ConfigurationError";
  readonly code = "ZOOID_CONFIGURATION";
  readonly retryable = false;
  /** All that is wrong, one at least. */
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problemsText(problems), options);
    this.problems = problems;
  }
}

/**
 * The node could not start: its data folder is in use or damaged, its port is taken, NATS refuses it. The message says what to do,
 * and `cause` is the error behind it. Everything that was begun is released.
 */
export class NodeStartError extends ZooidError {
  override readonly name = "NodeStartError";
  readonly code = "ZOOID_NODE_START";
  readonly retryable = false;
}

/** The node has stopped: it was asked to, or it stopped itself, since something that must hold did not. The message says which. */
export class NodeStoppedError extends ZooidError {
  override readonly name = "NodeStoppedError";
  readonly code = "ZOOID_NODE_STOPPED";
  readonly retryable = false;
}

/** The node lets no clients in, since it starts or is about to stop. */
export class NodeNotServingError extends ZooidError {
  override readonly name = "NodeNotServingError";
  readonly code = "ZOOID_NOT_SERVING";
  readonly retryable = true;
  constructor() {
    super("the node lets no clients in, since it starts or is about to stop");
  }
}

/**
 * A stream of changes was lost to a bug of zooid, which its log tells. Read the znodes again, then open another stream from the zxid of
 * that read.
 */
export class ChangesFailedError extends ZooidError {
  override readonly name = "ChangesFailedError";
  readonly code = "ZOOID_CHANGES_FAILED";
  readonly retryable = true;
}
