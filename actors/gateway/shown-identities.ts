/** Who a client is, as it is told by whoAmI: schemes and users, without the hashes of passwords. */
import { type Identity, listed, type Who } from "../../protocol/identities.ts";

export function shownIdentities(who: Who): readonly Identity[] {
  return listed(who).map((identity) => ({ scheme: identity.scheme, id: userOf(identity) }));
}

function userOf({ scheme, id }: Identity): string {
  if (scheme === "super") return "";
  const colon = scheme === "digest" ? id.indexOf(":") : -1;
  return colon === -1 ? id : id.slice(0, colon);
}
