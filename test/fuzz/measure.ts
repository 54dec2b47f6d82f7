/** Started by `cpuMsApart`: prints the least CPU time, in milliseconds, that the target named takes for the bytes of stdin. */
import { readFileSync } from "node:fs";
import { leastCpuMs } from "./cpu-time.ts";
import { TARGETS } from "./targets/all.ts";

const name = process.argv[2];
const target = TARGETS.find((each) => each.name === name);
if (target === undefined) throw new Error(`no target is called ${name}`);
const input = new Uint8Array(readFileSync(0));
const took = leastCpuMs(() => {
  try {
    target.run(input);
  } catch {
    // What fails is found where it is fuzzed; this is about its time.
  }
}, 0);
process.stdout.write(String(took));
