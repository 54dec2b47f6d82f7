/** Who simulated clients are: what they prove on each connection, and where they come from. */
import { createHash } from "node:crypto";
import type { Acl } from "../../../protocol/acl.ts";
import { JuteWriter } from "../../../protocol/jute.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";

export type SimIdentity = { readonly scheme: string; readonly id: string };

/** Who the server takes a client for. */
export type SimWho = {
  readonly identities: readonly SimIdentity[];
  readonly address: string | undefined;
};

export const NOBODY: SimWho = { identities: [], address: undefined };

/** A client's secrets, of the form `user:password`. */
export type Proofs = readonly string[];

const SUPERUSER = "root:secret";
export const SUPER_DIGEST: string = digestOf(SUPERUSER);
/** What clients may be given: some are one of these users, some both, few are the superuser. */
export const PROOFS: readonly Proofs[] = [
  [],
  ["ann:secret"],
  ["bob:secret"],
  ["ann:secret", "bob:secret"],
  [SUPERUSER],
];

export function digestOf(secret: string): string {
  const hash = createHash("sha1").update(secret).digest("base64");
  return `${secret.slice(0, secret.indexOf(":"))}:${hash}`;
}

/** A client comes from the same address always, and several share one. */
export function addressOf(client: string): string {
  let sum = 0;
  for (let index = 0; index < client.length; index += 1) sum += client.charCodeAt(index);
  return `10.0.0.${1 + (sum % 3)}`;
}

export function whoOf(client: string, proofs: Proofs): SimWho {
  const identities = proofs.flatMap((secret) => {
    const digest = { scheme: "digest", id: digestOf(secret) };
    return secret === SUPERUSER ? [{ scheme: "super", id: "" }, digest] : [digest];
  });
  return { identities, address: addressOf(client) };
}

export const AUTH_XID = -4;

export function authFrame(secret: string): Uint8Array {
  const writer = new JuteWriter();
  const mark = writer.beginFrame();
  writer.int32(AUTH_XID).int32(OpCode.auth).int32(0).string("digest").buffer(Buffer.from(secret));
  writer.endFrame(mark);
  return writer.take();
}

export const READ = 1;
export const WRITE = 2;
export const CREATE = 4;
export const DELETE = 8;
export const ADMIN = 16;

/** ZooKeeper's rule, written down once more: the superuser may do everything, others what an entry of theirs grants. */
export function may(acl: readonly Acl[], permissions: number, who: SimWho): boolean {
  if (who.identities.some(({ scheme }) => scheme === "super")) return true;
  const granted = acl.filter((entry) => (entry.permissions & permissions) !== 0);
  return granted.some(({ scheme, id }) => {
    if (scheme === "world") return true;
    if (scheme === "ip") return who.address === id;
    return who.identities.some((identity) => identity.scheme === scheme && identity.id === id);
  });
}

/** The list that is stored where a client gives this one. */
export function stored(acl: readonly Acl[], { identities }: SimWho): readonly Acl[] {
  const proved = identities.filter(({ scheme }) => scheme !== "super");
  const given = onceEach(acl).flatMap((entry) => {
    if (entry.scheme !== "auth") return [entry];
    return proved.map(({ scheme, id }) => ({ permissions: entry.permissions, scheme, id }));
  });
  // The nodes have no users of SASL, so its scheme is none of theirs.
  const isValid = acl.every(({ scheme }) => {
    return scheme === "auth" ? proved.length > 0 : scheme !== "sasl";
  });
  return isValid ? given : [];
}

/** The list as it is shown to who may not change it. */
export function shownAcl(acl: readonly Acl[]): readonly Acl[] {
  return acl.map((entry) => {
    if (entry.scheme !== "digest") return entry;
    return { ...entry, id: `${entry.id.slice(0, entry.id.indexOf(":"))}:x` };
  });
}

export function aclText(acl: readonly Acl[]): string {
  // The order of what `auth` stands for is compared with ZooKeeper itself.
  return acl
    .map(({ permissions, scheme, id }) => `${scheme}:${id}:${permissions}`)
    .sort()
    .join(" ");
}

/** The list without what is in it twice, which is stored once. */
function onceEach(acl: readonly Acl[]): readonly Acl[] {
  return acl.filter((entry, index) => {
    return acl.findIndex((each) => aclText([each]) === aclText([entry])) === index;
  });
}
