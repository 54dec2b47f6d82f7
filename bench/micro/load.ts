/** Measures the functions of the load generator, which must stay far cheaper than what it measures. */
import { Buffer } from "node:buffer";
import type { Bench } from "tinybench";
import { LatencyHistogram } from "../../cli/latency-histogram.ts";
import { ReplyReader } from "../load/zookeeper/wire.ts";

const REPLIES = 64;
const REPLY_BYTES = 220;

export function addLoadBenches(bench: Bench): void {
  const reply = Buffer.alloc(REPLY_BYTES);
  reply.writeInt32BE(REPLY_BYTES - 4, 0);
  const chunk = Buffer.concat(Array.from({ length: REPLIES }, () => reply));
  let seen = 0;
  const reader = new ReplyReader(() => {
    seen += 1;
  });
  bench.add(`load: read ${REPLIES} replies`, () => {
    reader.push(chunk, chunk.length);
  });
  const histogram = new LatencyHistogram();
  bench.add("load: record a latency", () => {
    seen += 1;
    histogram.record(seen & 0xffff);
  });
}
