/** What the library of NATS says is wrong, in words that name the server and the remedy. */
import {
  AuthorizationError,
  PermissionViolationError,
  TimeoutError,
} from "@nats-io/transport-node";
import { NatsError, type NatsErrorCode } from "./nats-error.ts";

/** Credentials came later than the server waits for them (`authorization { timeout }`), which does not mean that they are wrong. */
function isTooLate(error: unknown): boolean {
  return error instanceof AuthorizationError && /authentication timeout/i.test(error.message);
}

/** Why the first connection failed. `servers` is without credentials. */
export function connectProblem(error: unknown, servers: string): NatsError {
  const text = error instanceof Error ? error.message : String(error);
  const wrap = (code: NatsErrorCode, message: string): NatsError =>
    new NatsError(code, message, { cause: error });
  if (isTooLate(error)) {
    return wrap(
      "ZOOID_NATS_UNREACHABLE",
      `the NATS server at ${servers} did not get user and password in time (${text}): it or this machine is too busy`,
    );
  }
  if (error instanceof AuthorizationError) {
    return wrap(
      "ZOOID_NATS_CREDENTIALS",
      `the NATS server at ${servers} refuses these credentials (${text}): compare user and password with its configuration`,
    );
  }
  if (error instanceof TimeoutError) {
    return wrap(
      "ZOOID_NATS_UNREACHABLE",
      `no answer from a NATS server at ${servers}: check host and port, and that nothing in between drops the connection`,
    );
  }
  if (/refused/i.test(text)) {
    return wrap(
      "ZOOID_NATS_UNREACHABLE",
      `no NATS server at ${servers} (connection refused): start one with "nats-server -c nats.conf", or check host and port`,
    );
  }
  // The library says that the error is undefined where the connection ended before the server had said who it is.
  if (/undefined error|ECONNRESET|EPIPE/.test(text)) {
    return wrap(
      "ZOOID_NATS_UNREACHABLE",
      `the NATS server at ${servers} ended the connection before it was open (${text}): it is starting or stopping, or something else listens there`,
    );
  }
  if (/ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(text)) {
    return wrap(
      "ZOOID_NATS_UNREACHABLE",
      `the host of the NATS server at ${servers} cannot be found or reached (${text}): check its name`,
    );
  }
  if (/certificate|\btls\b|\bssl\b/i.test(text)) {
    return wrap(
      "ZOOID_NATS_TLS",
      `TLS with the NATS server at ${servers} failed (${text}): check the certificate files and the authority that signed them`,
    );
  }
  return wrap("ZOOID_NATS_FAILED", `cannot connect to a NATS server at ${servers}: ${text}`);
}

/** An error of a running connection. */
export function permissionProblem(error: Error, servers: string): NatsError {
  if (!(error instanceof PermissionViolationError)) {
    return new NatsError("ZOOID_NATS_FAILED", `NATS at ${servers}: ${error.message}`, {
      cause: error,
    });
  }
  const doing = error.operation === "subscription" ? "subscribe to" : "publish to";
  return new NatsError(
    "ZOOID_NATS_PERMISSION",
    `the NATS server at ${servers} does not let this user ${doing} ${error.subject}: see the permissions in its configuration`,
    { cause: error },
  );
}
