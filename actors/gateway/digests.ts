/** Clients of both protocols prove identities by digests of their passwords. Source: DigestAuthenticationProvider of ZooKeeper 3.8. */
import { SUPER, type Who, withIdentity } from "../../protocol/identities.ts";
import { IDENTITIES_MAX, IDENTITY_LENGTH_MAX } from "../../protocol/limits.ts";
import type { Authentication } from "./messages.ts";

/** How digests are made. */
export type Digests = Pick<Authentication, "hash" | "superDigest">;

/** Nobody proves anything. */
export const NO_DIGESTS: Digests = { hash: undefined, superDigest: undefined };

/** Returns who the client is that sends these bytes, `user:password`; undefined if that proves nothing. */
export function withDigest(
  { hash, superDigest }: Digests,
  who: Who,
  data: Uint8Array,
): Who | undefined {
  if (hash === undefined) return undefined;
  const digest = digestOf(hash, data);
  if (digest.length > IDENTITY_LENGTH_MAX) return undefined;
  const isSuper = superDigest !== undefined && isSame(digest, superDigest);
  let identities = isSuper ? withIdentity(who.identities, SUPER) : who.identities;
  identities = withIdentity(identities, { scheme: "digest", id: digest });
  if (identities === who.identities) return who;
  return identities.length > IDENTITIES_MAX ? undefined : { ...who, identities };
}

/** The id that stands for `user:password`. */
function digestOf(hash: (bytes: Uint8Array) => Uint8Array, data: Uint8Array): string {
  const text = Buffer.from(data.buffer, data.byteOffset, data.length).toString("utf8");
  const colon = text.indexOf(":");
  const user = colon === -1 ? text : text.slice(0, colon);
  const hashed = hash(Buffer.from(text, "utf8"));
  return `${user}:${Buffer.from(hashed).toString("base64")}`;
}

/** Compares in a time that does not depend on where the first difference is. */
function isSame(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index += 1) {
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  }
  return difference === 0;
}
