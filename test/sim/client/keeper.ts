/** What a simulated client asks for as ClickHouse does: small trees that are made and removed again as a whole, below one root. */
import { OPEN_ACL } from "../../../protocol/acl.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Random } from "../random.ts";
import type { SimRequest } from "./wire.ts";

export const KEEPER_ROOT = "/r";

type Token = () => Uint8Array;

export function keeperRequest(random: Random, token: Token): SimRequest {
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

/** Three levels, so that there is something between the top of what is removed and its leaves. */
function drawPath(random: Random): string {
  let path = `${KEEPER_ROOT}/${random.below(2)}`;
  while (path.length < 9 && random.chance(0.6)) path += `/${random.below(2)}`;
  return path;
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
      return { kind: "removeRecursive", path, znodesMax: random.pick([0, 1, 2, 4, 100]) };
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
