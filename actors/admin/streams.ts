/** What is told of change streams, made of the reports of the gateways that have them. */
import { laterOf, type Zxid, zxidsBetween } from "../../protocol/zxid.ts";
import type { GatewayReport, StreamMetrics } from "./messages.ts";

/** `applied`: maps a lane to the zxid that its tree has applied, whose streams have that before them. */
export function streamsOf(
  reports: readonly GatewayReport[],
  applied: ReadonlyMap<number, Zxid>,
): StreamMetrics {
  let [open, waiting, pendingBytes, pendingBytesMax] = [0, 0, 0, 0];
  let [pendingChanges, pendingChangesMax] = [0, 0];
  const lagZxids: [lane: number, zxids: number][] = [];
  for (const { streams } of reports) {
    if (streams === undefined) continue;
    open += streams.open;
    waiting += streams.waiting;
    pendingBytes += streams.pendingBytes;
    pendingBytesMax = Math.max(pendingBytesMax, streams.pendingBytesMax);
    pendingChanges += streams.pendingChanges;
    pendingChangesMax = Math.max(pendingChangesMax, streams.pendingChangesMax);
    const { lane, furthestBehind, heardOf } = streams;
    // The report of the tree and that of the gateway are of two moments.
    const end = laterOf(applied.get(lane) ?? heardOf, heardOf);
    lagZxids.push([lane, zxidsBetween(furthestBehind ?? end, end)]);
  }
  lagZxids.sort(([one], [other]) => one - other);
  const pending = { pendingBytes, pendingBytesMax, pendingChanges, pendingChangesMax };
  return { open, waiting, ...pending, lagZxids };
}
