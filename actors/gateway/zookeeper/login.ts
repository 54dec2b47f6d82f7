/**
 * A connection logs in by SASL: its client asks, is challenged, and responds, once. Nothing of a login goes to another connection of the
 * session. Sources: ZooKeeperServer.processSasl, SaslServerCallbackHandler.
 */
import { Code } from "../../../protocol/codes.ts";
import { SUPER, type Who, withIdentity } from "../../../protocol/identities.ts";
import { IDENTITIES_MAX, SASL_TOKEN_BYTES_MAX } from "../../../protocol/limits.ts";
import {
  challengeOf,
  judge,
  type Verdict,
  ZOOKEEPER_SERVICE,
} from "../../../protocol/zookeeper/digest-md5.ts";
import type { Request } from "../../../protocol/zookeeper/requests.ts";
import type { Authentication, SaslLogin } from "../messages.ts";
import type { Answer } from "./authentication.ts";

export type Login =
  | { readonly kind: "notBegun" }
  /** The client has to respond to the challenge with this nonce. */
  | { readonly kind: "challenged"; readonly nonce: string }
  /** It has responded, rightly or not. A connection logs in once. */
  | { readonly kind: "over" };

export const NOT_LOGGED_IN: Login = { kind: "notBegun" };
const OVER: Login = { kind: "over" };

const SASL = "sasl";
/** As many as Java draws. They are 40 letters. */
const NONCE_BYTES = 30;

type Client = { readonly who: Who; readonly login: Login };
type Step = Client & { readonly answer: Answer };
type SaslRequest = Extract<Request, { readonly kind: "sasl" }>;

/** Takes the client's next token. Undefined: the connection is to be closed without an answer. */
export function logIn(
  authentication: Authentication,
  { who, login }: Client,
  { xid, token }: SaslRequest,
  randomBytes: (length: number) => Uint8Array,
): Step | undefined {
  const { sasl } = authentication;
  // As in a ZooKeeper without a section for its server in its JAAS configuration.
  if (sasl === undefined) return { who, login, answer: answer(xid, null) };
  const failed = (next: Login, reason: string): Step => {
    return { who, login: next, answer: failure(authentication, sasl, xid, reason) };
  };
  if (token.length > SASL_TOKEN_BYTES_MAX) return failed(login, "its token is too long");
  switch (login.kind) {
    case "notBegun": {
      const nonce = Buffer.from(randomBytes(NONCE_BYTES)).toString("base64");
      const challenge = challengeOf(ZOOKEEPER_SERVICE, nonce);
      return { who, login: { kind: "challenged", nonce }, answer: answer(xid, challenge) };
    }
    case "challenged": {
      const verdict = verdictOn(token, login.nonce, sasl);
      if (verdict.kind === "unreadable") return undefined;
      if (verdict.kind === "refused") return failed(OVER, verdict.reason);
      const known = withUser(authentication, sasl, who, verdict.user);
      if (known === undefined) return failed(OVER, "it has as many identities as it may have");
      return { who: known, login: OVER, answer: answer(xid, verdict.proof) };
    }
    default:
      return failed(login, "its login is over");
  }
}

function verdictOn(response: Uint8Array, nonce: string, { md5, secrets }: SaslLogin): Verdict {
  const secretOf = (user: string): Uint8Array | undefined => secrets.get(user);
  return judge(response, { md5, service: ZOOKEEPER_SERVICE, nonce, secretOf });
}

/** Without the scheme, no list can name the user, and nothing is known by it. */
function withUser(
  { schemes }: Authentication,
  { superUser }: SaslLogin,
  who: Who,
  user: string,
): Who | undefined {
  let { identities } = who;
  if (schemes.has(SASL)) identities = withIdentity(identities, { scheme: SASL, id: user });
  if (user === superUser) identities = withIdentity(identities, SUPER);
  return identities.length > IDENTITIES_MAX ? undefined : { ...who, identities };
}

function answer(xid: number, token: Uint8Array | null): Answer {
  return { kind: "sasl", xid, code: Code.ok, token, reason: undefined };
}

function failure(
  { requiredSchemes }: Authentication,
  { keepsFailed }: SaslLogin,
  xid: number,
  because: string,
): Answer {
  const isRequired = requiredSchemes.includes(SASL);
  if (keepsFailed && !isRequired) return answer(xid, null);
  const code = isRequired ? Code.authRequired : Code.authFailed;
  return { kind: "sasl", xid, code, token: null, reason: `it cannot log in by SASL: ${because}` };
}
