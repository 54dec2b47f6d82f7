/** The bookkeeping of a znode in ZooKeeper's words, and as JSON. */
import type { Stat } from "../../client/connect.ts";
import { formatZxid } from "../../protocol/zxid.ts";

/** As zkCli prints it, with times in UTC. */
export function statLines(stat: Stat): readonly string[] {
  return [
    `cZxid = ${formatZxid(stat.czxid)}`,
    `ctime = ${timeText(stat.ctime)}`,
    `mZxid = ${formatZxid(stat.mzxid)}`,
    `mtime = ${timeText(stat.mtime)}`,
    `pZxid = ${formatZxid(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${sessionText(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ];
}

/** With the names of the client's `Stat`. Zxids and sessions are text in hexadecimal, times are ISO 8601. */
export function statJson(stat: Stat): object {
  const { czxid, mzxid, pzxid, ctime, mtime, ephemeralOwner, ...numbers } = stat;
  return {
    ...{ czxid: formatZxid(czxid), mzxid: formatZxid(mzxid), pzxid: formatZxid(pzxid) },
    ...{ ctime: timeText(ctime), mtime: timeText(mtime) },
    ...numbers,
    ephemeralOwner: ephemeralOwner === 0 ? null : sessionText(ephemeralOwner),
  };
}

/** A time that no date can hold is shown as its milliseconds. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

/** Apache ZooKeeper's ids have 64 bits, of which a number keeps 53: there the last digits are not exact. */
function sessionText(id: number): string {
  return `0x${id.toString(16)}`;
}
