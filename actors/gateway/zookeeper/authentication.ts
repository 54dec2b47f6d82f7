/**
 * How a connection proves who its client is. Sources: ZooKeeperServer.processPacket, DigestAuthenticationProvider,
 * IPAuthenticationProvider and AuthenticationHelper of ZooKeeper 3.8.
 */
import { Code } from "../../../protocol/codes.ts";
import { DEFAULT_SCHEMES } from "../../../protocol/access.ts";
import { ANYONE, UNCHECKED, type Who, withIdentity } from "../../../protocol/identities.ts";
import { IDENTITY_LENGTH_MAX } from "../../../protocol/limits.ts";
import { withDigest } from "../digests.ts";
import type { Authentication } from "../messages.ts";
import { shownIdentities } from "../shown-identities.ts";
import type { Request } from "../../../protocol/zookeeper/requests.ts";
import type { ClientInfo } from "../../../protocol/zookeeper/replies.ts";

/** Clients are known by their addresses alone. */
export const NO_AUTHENTICATION: Authentication = {
  hash: undefined,
  superDigest: undefined,
  sasl: undefined,
  requiredSchemes: [],
  schemes: DEFAULT_SCHEMES,
  skipsAcl: false,
};

/**
 * Who a client is before it has authenticated: its address, and the name in the certificate by which its connection was opened. Source:
 * X509AuthenticationProvider.
 */
export function firstIdentities(
  { skipsAcl, schemes }: Pick<Authentication, "skipsAcl" | "schemes">,
  address: string | undefined,
  subject?: string,
): Who {
  const who = { ...(skipsAcl ? UNCHECKED : ANYONE), address };
  if (subject === undefined || !schemes.has("x509")) return who;
  if (subject.length > IDENTITY_LENGTH_MAX) return who;
  return { ...who, identities: withIdentity(who.identities, { scheme: "x509", id: subject }) };
}

type AuthRequest = Extract<Request, { readonly kind: "auth" }>;

/** Returns who the client is now; undefined if it has proved nothing. */
export function authenticate(
  authentication: Authentication,
  who: Who,
  { scheme, data }: AuthRequest,
): Who | undefined {
  // Each connection has its address from the beginning.
  if (scheme === "ip") return who.address === undefined ? undefined : who;
  if (scheme !== "digest" || data === null) return undefined;
  return withDigest(authentication, who, data);
}

/** Whether the client has proved what it has to. */
export function isAuthenticated({ requiredSchemes }: Authentication, who: Who): boolean {
  if (requiredSchemes.length === 0) return true;
  if (who.address !== undefined && requiredSchemes.includes("ip")) return true;
  return who.identities.some(({ scheme }) => requiredSchemes.includes(scheme));
}

/** Ends the connection of a client that asks for something before it has authenticated. */
export function authRequired(xid: number): Answer {
  return { kind: "auth", xid, code: Code.authRequired, reason: "it has not authenticated" };
}

/** The answer to a proof of an identity. With another code than ok it ends the connection, for the reason. */
type Outcome = {
  readonly xid: number;
  readonly code: Code;
  readonly reason: string | undefined;
};
export type Answer =
  | (Outcome & { readonly kind: "auth" })
  /** The token is the server's part of a login by SASL. */
  | (Outcome & { readonly kind: "sasl"; readonly token: Uint8Array | null });

/** The number of letters that are logged of the scheme that a client names. */
const SCHEME_SHOWN_MAX = 32;

export function answerTo({ xid, scheme }: AuthRequest, isProved: boolean): Answer {
  if (isProved) return { kind: "auth", xid, code: Code.ok, reason: undefined };
  const reason = `it cannot authenticate (scheme "${scheme.slice(0, SCHEME_SHOWN_MAX)}")`;
  return { kind: "auth", xid, code: Code.authFailed, reason };
}

/** What whoAmI answers. */
export function clientInfos(who: Who): readonly ClientInfo[] {
  return shownIdentities(who).map(({ scheme, id: user }) => ({ scheme, user }));
}

/** The address as an identity: as Java writes it, which shortens none of IPv6. */
export function addressIdentity(remoteAddress: string): string {
  const colon = remoteAddress.lastIndexOf(":");
  const address = colon < 0 ? remoteAddress : remoteAddress.slice(0, colon);
  const inner = address.startsWith("[") ? address.slice(1, -1) : address;
  return inner.includes(":") ? longForm(inner) : inner;
}

const GROUPS = 8;

function longForm(address: string): string {
  const [numbers = "", zone] = address.split("%");
  const [before = "", after] = numbers.split("::");
  const groupsOf = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const first = groupsOf(before);
  const last = groupsOf(after ?? "");
  const zeros = after === undefined ? 0 : Math.max(0, GROUPS - first.length - last.length);
  const groups = [...first, ...Array.from({ length: zeros }, () => "0"), ...last];
  const text = groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
  return zone === undefined ? text : `${text}%${zone}`;
}
