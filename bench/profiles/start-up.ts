/** `npm run bench -- start-up`: from the start of three servers with empty folders until they serve, and what they cost then. */
import { setTimeout as delay } from "node:timers/promises";
import { sampleProcesses } from "../processes.ts";
import { costsOf } from "./load.ts";
import { startersOf } from "./own-targets.ts";
import type { ProfileContext } from "./profile.ts";

const SETTLE_MS = 3000;
const IDLE_MS = 5000;

export async function startUp({ options, screen, signal, record }: ProfileContext): Promise<void> {
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const { name, start } of startersOf(options)) {
      screen.status(`starting ${name} ${round}/${options.rounds}`);
      const startMs = performance.now();
      await using target = await start(signal);
      const readyMs = performance.now() - startMs;
      await delay(SETTLE_MS, undefined, { signal });
      const before = sampleProcesses(target.processes);
      await delay(IDLE_MS, undefined, { signal });
      const servers = costsOf(before, sampleProcesses(target.processes));
      const cpuSeconds = servers.reduce((sum, each) => sum + each.cpuSeconds, 0);
      const residentBytes = servers.reduce((sum, each) => sum + each.residentBytes, 0);
      record({
        ...{ profile: "start-up", name: "three servers, empty", target: target.name, round },
        metrics: {
          startMs: readyMs,
          idleCpuPercent: (cpuSeconds / (IDLE_MS / 1000)) * 100,
          residentMb: residentBytes / 2 ** 20,
        },
        servers,
      });
    }
  }
}
