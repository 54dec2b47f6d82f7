/** What a simulated client asks for as ClickHouse does: small trees that are made and removed again as a whole, below one root. */
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import { parentOf } from "../../../protocol/paths.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Random } from "../random.ts";
import { ADMIN, READ, WRITE } from "./identities.ts";
import type { SimRequest } from "./wire.ts";

export const KEEPER_ROOT = "/r";

type Token = () => Uint8Array;

/** Nothing comes below such a znode, and no removeRecursive may delete it. A tryRemove may: that is up to the parent's list. */
const GUARDED: readonly Acl[] = [
  { permissions: READ | WRITE | ADMIN, scheme: "world", id: "anyone" },
];

/** Often a tree grows, or several removeRecursives follow each other in one record: what it may look at is for all of them. */
export function keeperRequests(random: Random, token: Token): readonly SimRequest[] {
  const kind = random.weighted({ one: 6, grow: 3, remove: 2 });
  if (kind === "grow") return [write(drawTree(random, token))];
  if (kind !== "remove") return [keeperRequest(random, token)];
  const count = random.whole(2, 5);
  return Array.from({ length: count }, () => write(drawRemoval(random, drawPath(random, 0.4))));
}

/** A few paths with all that is above them. */
function drawTree(random: Random, token: Token): ClientOperation {
  const paths = Array.from({ length: random.whole(1, 3) }, () => drawPath(random, 0.9));
  const above = (path: string): string[] =>
    path === KEEPER_ROOT ? [] : [...above(parentOf(path)), path];
  const operations = [...new Set(paths.flatMap(above))].map((path) => {
    const [data, mode] = [token(), { ephemeral: false, sequential: false }];
    const acl = path.length > 9 && random.chance(0.1) ? GUARDED : OPEN_ACL;
    return { kind: "create", path, data, acl, mode, unlessExists: true } as const;
  });
  return { kind: "multi", operations };
}

function keeperRequest(random: Random, token: Token): SimRequest {
  if (random.chance(0.2)) {
    const read = random.pick(["getData", "getChildren", "exists"] as const);
    return { kind: "read", read, path: drawPath(random), watch: random.chance(0.7) };
  }
  if (random.chance(0.25)) {
    const count = random.whole(1, 4);
    const operations = Array.from({ length: count }, () => drawOperation(random, token));
    return write({ kind: "multi", operations });
  }
  return write(drawOperation(random, token));
}

/** Up to three levels below the top of what is removed, so that there is something between it and its leaves. */
function drawPath(random: Random, deeper = 0.6): string {
  let path = `${KEEPER_ROOT}/${random.below(2)}`;
  while (path.length < 9 && random.chance(deeper)) path += `/${random.below(2)}`;
  return path;
}

function drawRemoval(random: Random, path: string): ZnodeOperation {
  return { kind: "removeRecursive", path, znodesMax: random.pick([0, 1, 3, 100, 100, 100]) };
}

function drawOperation(random: Random, token: Token): ZnodeOperation {
  const path = drawPath(random);
  const version = random.chance(0.6) ? -1 : random.below(3);
  switch (
    random.weighted({ create: 8, make: 2, remove: 2, try: 2, not: 1, stat: 1, set: 2 }) ??
    "create"
  ) {
    case "create":
      return { ...drawCreate(random, path, token), unlessExists: true };
    case "make":
      return drawCreate(random, path, token);
    case "remove":
      return drawRemoval(random, path);
    case "try":
      return { kind: "tryRemove", path, version };
    case "not":
      return { kind: "checkNotExists", path, version };
    case "stat":
      return { kind: "checkStat", path, version, stat: drawStat(random) };
    default:
      return { kind: "setData", path, data: token(), version };
  }
}

function drawCreate(
  random: Random,
  path: string,
  token: Token,
): Extract<ZnodeOperation, { readonly kind: "create" }> {
  const mode = { ephemeral: random.chance(0.25), sequential: random.chance(0.05) };
  return { kind: "create", path, data: token(), acl: OPEN_ACL, mode };
}

/** Some of what a client may know of a znode. */
function drawStat(random: Random): Stat {
  const any = -1 as Zxid;
  const few = (): number => (random.chance(0.5) ? -1 : random.below(3));
  return {
    ...{ czxid: any, mzxid: any, ctime: -1, mtime: -1, version: few(), cversion: few() },
    ...{ aversion: few(), ephemeralOwner: few(), dataLength: -1, numChildren: few(), pzxid: any },
  };
}

function write(operation: ClientOperation): SimRequest {
  return { kind: "write", operation };
}
