/** Requests about a few znodes with access control lists: who may do what there differs from client to client and from time to time. */
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import type { Random } from "../random.ts";
import { digestOf } from "./identities.ts";
import type { SimRequest } from "./wire.ts";

export const GUARDED_ROOTS: readonly string[] = ["/a", "/a/0", "/a/1"];

type Token = () => Uint8Array;

export function guardedPath(random: Random): string {
  const dir = `/a/${random.below(2)}`;
  return random.chance(0.3) ? dir : `${dir}/${random.below(3)}`;
}

export function guardedRequest(random: Random, token: Token): SimRequest {
  const kind = random.weighted({ read: 4, write: 5, setAcl: 2, multi: 1 });
  const path = guardedPath(random);
  const dir = path.split("/").slice(0, 3).join("/");
  switch (kind) {
    case "read":
      return readOf(random, path);
    case "setAcl": {
      const version = random.chance(0.8) ? -1 : random.below(3);
      return write({ kind: "setAcl", path, acl: drawAcl(random), version });
    }
    case "multi": {
      const operations: ZnodeOperation[] = [znodeOperation(random, `${dir}/0`, token)];
      if (random.chance(0.5)) operations.unshift({ kind: "check", path, version: -1 });
      operations.push(znodeOperation(random, path, token));
      return write({ kind: "multi", operations });
    }
    default:
      return write(znodeOperation(random, path, token));
  }
}

function readOf(random: Random, path: string): SimRequest {
  const kinds = ["getData", "getChildren", "exists", "getAcl"] as const;
  const read = random.pick(kinds);
  const watch = read !== "getAcl" && random.chance(0.5);
  return { kind: "read", read, path, watch };
}

function znodeOperation(random: Random, path: string, token: Token): ZnodeOperation {
  const version = random.chance(0.9) ? -1 : random.below(3);
  const kind = random.weighted({ create: 4, setData: 4, delete: 3 });
  if (kind === "setData") return { kind, path, data: token(), version };
  if (kind === "delete") return { kind, path, version };
  const acl = random.chance(0.3) ? OPEN_ACL : drawAcl(random);
  const mode = { ephemeral: random.chance(0.1), sequential: false };
  return { kind: "create", path, data: token(), acl, mode };
}

const ALL = 31;

/** Mostly somebody keeps all permissions, so that what is closed is opened again. */
function drawAcl(random: Random): readonly Acl[] {
  const count = random.whole(1, 2);
  const list: Acl[] = [];
  for (let index = 0; index < count; index += 1) {
    const permissions = random.chance(0.4) ? ALL : random.below(ALL + 1);
    list.push({ permissions, ...drawId(random) });
  }
  if (random.chance(0.7)) list.push({ permissions: ALL, ...idOf("ann") });
  const seen = new Set<string>();
  return list.filter(({ permissions, scheme, id }) => {
    const text = `${permissions} ${scheme} ${id}`;
    return !seen.has(text) && seen.add(text);
  });
}

function drawId(random: Random): Pick<Acl, "scheme" | "id"> {
  const kind = random.pick(["world", "ann", "bob", "ip", "auth"] as const);
  if (kind === "world") return { scheme: "world", id: "anyone" };
  if (kind === "ip") return { scheme: "ip", id: `10.0.0.${random.whole(1, 3)}` };
  return kind === "auth" ? { scheme: "auth", id: "" } : idOf(kind);
}

function idOf(user: string): Pick<Acl, "scheme" | "id"> {
  return { scheme: "digest", id: digestOf(`${user}:secret`) };
}

function write(operation: ClientOperation): SimRequest {
  return { kind: "write", operation };
}
