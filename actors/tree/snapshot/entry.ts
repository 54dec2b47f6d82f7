import type { SnapshotZnode } from "../../../protocol/snapshot-entries.ts";
import type { ZnodeId, Znodes } from "../store/znodes.ts";

/** The znode as a snapshot holds it. */
export function entryOf(znodes: Znodes, id: ZnodeId): SnapshotZnode {
  return {
    path: znodes.path(id),
    data: znodes.data(id),
    acl: znodes.acl(id),
    czxid: znodes.czxid(id),
    mzxid: znodes.mzxid(id),
    pzxid: znodes.pzxid(id),
    ctime: znodes.ctime(id),
    mtime: znodes.mtime(id),
    version: znodes.version(id),
    creates: znodes.creates(id),
    aversion: znodes.aversion(id),
    ephemeralOwner: znodes.ephemeralOwner(id),
    lifetime: znodes.lifetimes.get(id),
  };
}
