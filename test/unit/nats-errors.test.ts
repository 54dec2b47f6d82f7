/** What is said of a connection to NATS that failed. */
import test from "ava";
import { AuthorizationError } from "@nats-io/transport-node";
import { connectProblem } from "../../runtime/nats/errors.ts";

test("credentials that came too late are not said to be wrong", (t) => {
  const late = connectProblem(new AuthorizationError("'Authentication Timeout'"), "nats://h");
  t.is(late.code, "ZOOID_NATS_UNREACHABLE", "so a node waits and tries again");
  t.regex(late.message, /in time/);
  const wrong = connectProblem(new AuthorizationError("'Authorization Violation'"), "nats://h");
  t.is(wrong.code, "ZOOID_NATS_CREDENTIALS");
});
