/**
 * Checks that a node is one server for its clients, however many lanes it has: what one of them was told, all of them find from then
 * on. As with Apache ZooKeeper, this is said of clients of one server only; other servers may be behind.
 */
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { must } from "./violation.ts";

/** What clients have been told by one process of a node. */
export type ToldByProcess = { zxid: Zxid };

export function newToldByProcess(): ToldByProcess {
  return { zxid: ZXID_NONE };
}

export function told(process: ToldByProcess, zxid: Zxid): void {
  if (zxid > process.zxid) process.zxid = zxid;
}

/** `before`: what the process had told anybody when the read was asked of it. */
export function checkOneServer(name: string, zxid: Zxid, before: Zxid): void {
  must(zxid >= before, "one server", () => {
    return `${name}: a read of ${formatZxid(zxid)}, asked of a server that had told of ${formatZxid(before)}`;
  });
}
