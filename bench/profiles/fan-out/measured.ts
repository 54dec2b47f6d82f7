/** What a load of events comes to for each second, and what it costs. */
import type { LatencyHistogram } from "../../../cli/latency-histogram.ts";
import { sampleProcesses } from "../../processes.ts";
import type { Measurement } from "../../report/measurement.ts";
import type { Target } from "../../targets/target.ts";
import { costsOf } from "../load.ts";

/** `load` resolves with how many events were received, and how long each portion of them took. */
export async function measured(
  { processes }: Target,
  load: () => Promise<{ readonly events: number; readonly latencies: LatencyHistogram }>,
): Promise<Pick<Measurement, "metrics" | "servers">> {
  const before = sampleProcesses(processes);
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  const { events, latencies } = await load();
  const seconds = (performance.now() - startMs) / 1000;
  const used = process.cpuUsage(cpu);
  const servers = costsOf(before, sampleProcesses(processes));
  const serverSeconds = servers.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  return {
    metrics: {
      eventsPerSecond: events / seconds,
      p50: latencies.percentileUs(0.5) / 1000,
      p99: latencies.percentileUs(0.99) / 1000,
      ...(servers.length > 0 ? { serverCpuUs: (serverSeconds / events) * 1e6 } : {}),
      loadCpuSeconds: (used.user + used.system) / 1e6,
    },
    servers,
  };
}
