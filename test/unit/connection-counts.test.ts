/** Counts of connections: against a plain model, and over threads. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import test from "ava";
import fc from "fast-check";
import { ConnectionCounts } from "../../runtime/connections/connection-counts.ts";

test("counts agree with a plain map, whatever comes and goes", (t) => {
  const step = fc.record({ address: fc.integer({ min: 0, max: 40 }), admit: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 400 }),
      fc.integer({ min: 1, max: 30 }),
      (steps, max) => {
        const perAddressMax = 3;
        const counts = new ConnectionCounts(
          ConnectionCounts.share({ connectionsMax: max, perAddressMax }),
        );
        const model = new Map<string, number>();
        let total = 0;
        for (const { address, admit } of steps) {
          const name = `10.0.0.${address}`;
          const count = model.get(name) ?? 0;
          if (admit) {
            const expected =
              total >= max ? "tooMany" : count >= perAddressMax ? "tooManyOfAddress" : "admitted";
            t.is(counts.admit(name), expected);
            if (expected !== "admitted") continue;
            model.set(name, count + 1);
            total += 1;
          } else if (count > 0) {
            counts.release(name);
            model.set(name, count - 1);
            total -= 1;
          }
          if (counts.total !== total) t.is(counts.total, total);
        }
      },
    ),
  );
});

test("a limit that falls lets those go on that are there, and admits none until it is met", (t) => {
  const counts = new ConnectionCounts(
    ConnectionCounts.share({ connectionsMax: 10, perAddressMax: 0 }),
  );
  for (let index = 0; index < 5; index += 1) t.is(counts.admit("::1"), "admitted");
  counts.limit(4);
  t.is(counts.admit("::1"), "tooMany");
  counts.release("::1");
  t.is(counts.admit("::1"), "tooMany");
  counts.release("::1");
  t.is(counts.admit("::1"), "admitted");
  counts.limit(1_000_000);
  t.true(
    counts.connectionsMax >= 10 && counts.connectionsMax <= 20,
    "no more than there is memory for",
  );
});

const CONTENDER = `
import { workerData, parentPort } from "node:worker_threads";
import { ConnectionCounts } from ${JSON.stringify(new URL("../../runtime/connections/connection-counts.ts", import.meta.url).href)};
const counts = new ConnectionCounts(workerData);
let admitted = 0;
for (let round = 0; round < 20_000; round += 1) {
  const address = "10.0.0." + (round % 7);
  if (counts.admit(address) !== "admitted") continue;
  admitted += 1;
  if (round % 3 > 0) { counts.release(address); admitted -= 1; }
}
parentPort.postMessage(admitted);
`;

test("threads that count at the same time lose nothing, and the limit of an address holds for all of them", async (t) => {
  const shared = ConnectionCounts.share({ connectionsMax: 1_000, perAddressMax: 50 });
  const url = new URL(`data:text/javascript,${encodeURIComponent(CONTENDER)}`);
  const workers = [1, 2, 3].map(() => new Worker(url, { workerData: shared }));
  const admitted = await Promise.all(
    workers.map(async (worker) => (await once(worker, "message"))[0] as number),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
  const counts = new ConnectionCounts(shared);
  t.is(
    counts.total,
    admitted.reduce((sum, count) => sum + count, 0),
  );
  t.is(counts.total, 7 * 50);
});
