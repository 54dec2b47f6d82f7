/** The soak's profile `streams`, in which change streams and live copies are held against the log: for as long as the tests have time. */
import { readdir } from "node:fs/promises";
import test from "ava";
import { runSoak } from "../support/soak-command.ts";

test.serial(
  "fifty subscribers see each change once while nodes and nats-servers are killed for 40 s",
  async (t) => {
    const args = ["--profile", "streams", "--seconds", "40", "--seed", "3", "--pace", "2"];
    const faults = ["--faults", "kill,restart,nats-kill", "--clients", "1"];
    const { child, folder } = await runSoak(t, ...args, ...faults);
    await child.exited;
    t.is(child.process.exitCode, 0, child.output());
    const told = /50 subscribers: (\d+) changes, (\d+) views, .* (\d+) compared/.exec(
      child.output(),
    );
    for (const count of told?.slice(1) ?? ["0"]) t.true(Number(count) > 100, child.output());
    t.deepEqual(await readdir(folder), []);
  },
);
