import fc from "fast-check";
import test from "ava";
import { LatencyHistogram } from "../../../cli/latency-histogram.ts";

const FRACTIONS = [0, 0.01, 0.5, 0.9, 0.99, 0.999, 1];

function percentileOfSorted(sorted: readonly number[], fraction: number): number {
  const rank = Math.max(1, Math.ceil(fraction * sorted.length));
  return sorted[rank - 1] ?? 0;
}

test("a percentile is within 1 % of the sorted samples' own", (t) => {
  const latency = fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: 0, max: 100_000 }),
    fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  );
  fc.assert(
    fc.property(fc.array(latency, { minLength: 1, maxLength: 200 }), (samples) => {
      const histogram = new LatencyHistogram();
      for (const sample of samples) histogram.record(sample);
      const sorted = samples.toSorted((a, b) => a - b);
      for (const fraction of FRACTIONS) {
        const expected = percentileOfSorted(sorted, fraction);
        const distance = Math.abs(histogram.percentileUs(fraction) - expected);
        if (distance > expected * 0.01) return false;
      }
      return true;
    }),
  );
  t.pass();
});

test("below 256 microseconds a percentile is exact", (t) => {
  const histogram = new LatencyHistogram();
  for (let sample = 0; sample < 256; sample += 1) histogram.record(sample);
  for (let rank = 1; rank <= 256; rank += 1) t.is(histogram.percentileUs(rank / 256), rank - 1);
});

test("without samples every percentile is 0", (t) => {
  t.is(new LatencyHistogram().percentileUs(0.5), 0);
});

test("a latency beyond the last bucket is counted in it, and a negative one in the first", (t) => {
  const histogram = new LatencyHistogram();
  histogram.record(2 ** 40);
  histogram.record(-5);
  t.is(histogram.total, 2);
  t.is(histogram.percentileUs(0.5), 0);
  t.true(histogram.percentileUs(1) > 2 ** 31 * 0.99);
});

test("histograms of several processes add up to that of all samples", (t) => {
  const parts = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
  const whole = new LatencyHistogram();
  for (let sample = 0; sample < 3000; sample += 1) {
    const latencyUs = (sample * 7919) % 100_003;
    parts[sample % 3]?.record(latencyUs);
    whole.record(latencyUs);
  }
  const sum = new LatencyHistogram();
  for (const part of parts) sum.add(part.counts());
  t.is(sum.total, 3000);
  t.deepEqual(sum.counts(), whole.counts());
});
