/** The znodes that every tree has from its beginning on. */
import { OPEN_ACL, type Acl } from "../../../protocol/acl.ts";
import { SESSION_NONE } from "../../../protocol/ids.ts";
import { SPECIAL_PATHS } from "../../../protocol/paths.ts";
import { ZXID_NONE } from "../../../protocol/zxid.ts";
import type { ZnodesSetup } from "./new-znode.ts";
import { Znodes } from "./znodes.ts";

const READ_ACL: readonly Acl[] = [{ permissions: 1, scheme: "world", id: "anyone" }];

/** The tree with which every ensemble starts, as ZooKeeper 3.8 shows it: these znodes do not count as created children. */
export function createZnodes(setup: ZnodesSetup): Znodes {
  const znodes = new Znodes(setup);
  const zxids = { czxid: ZXID_NONE, mzxid: ZXID_NONE, pzxid: ZXID_NONE };
  const times = { ctime: 0, mtime: 0, version: 0, creates: 0 };
  for (const path of SPECIAL_PATHS) {
    const isConfig = path === "/zookeeper/config";
    const access = isConfig ? { acl: READ_ACL, aversion: -1 } : { acl: OPEN_ACL, aversion: 0 };
    const data = new Uint8Array(0);
    const owned = { ephemeralOwner: SESSION_NONE, lifetime: undefined };
    znodes.restore({ path, data, ...access, ...zxids, ...times, ...owned });
  }
  return znodes;
}

export function isSpecial(path: string): boolean {
  return SPECIAL_PATHS.includes(path);
}
