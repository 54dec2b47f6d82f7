/**
 * `npm run bench -- memory`: how much resident memory a znode takes. A tree is filled through ZooKeeper's protocol, or keys through
 * etcd's; the difference of the servers' resident memory, divided by the number of znodes, is told for the server in the middle.
 */
import { setTimeout as delay } from "node:timers/promises";
import { EtcdChannel } from "../load/etcd/channel.ts";
import { putRequest } from "../load/etcd/messages.ts";
import type { Address } from "../load/plan.ts";
import { fill, type FillPlan } from "../load/zookeeper/fill.ts";
import { type ProcessSample, sampleProcesses } from "../processes.ts";
import { median } from "../report/statistics.ts";
import { count } from "../report/table.ts";
import type { Target } from "../targets/target.ts";
import { startersOf } from "./own-targets.ts";
import type { ProfileContext } from "./profile.ts";

const ZNODES = 1_000_000;
/** etcd takes so much longer that a part of the keys must do. */
const ETCD_PART = 0.1;
const ETCD_UNDER_WAY = 512;
/** After it, what garbage there is has mostly been collected. */
const SETTLE_MS = 5000;
/** The second is the mean of a published snapshot of 111 million znodes. */
const SHAPES = [
  { name: "100-byte data, short paths", valueBytes: 100, pathBytes: 0 },
  { name: "46-byte data, 115-byte paths", valueBytes: 46, pathBytes: 115 },
];

export async function memory(context: ProfileContext): Promise<void> {
  const { options, screen, signal, record } = context;
  const znodes = options.znodes ?? ZNODES;
  for (const shape of SHAPES) {
    for (const { name, start } of startersOf(options)) {
      const named = { profile: "memory", name: `${count(znodes)} znodes: ${shape.name}`, round: 1 };
      if (name.startsWith("jetstream")) {
        record({
          ...named,
          target: name,
          metrics: {},
          notOffered: "JetStream keeps values on disk",
        });
        continue;
      }
      screen.status(`starting ${name} ...`);
      await using target = await start(signal);
      await delay(SETTLE_MS, undefined, { signal });
      const before = serversOf(target);
      const filled = await fillTarget(context, target, { ...shape, znodes });
      await delay(SETTLE_MS, undefined, { signal });
      const after = serversOf(target);
      const bytes = after.map(({ pid, residentBytes }) => {
        const start = before.find((each) => each.pid === pid)?.residentBytes ?? 0;
        return (residentBytes - start) / filled;
      });
      record({
        ...named,
        target: target.name,
        metrics: {
          bytesPerZnode: median(bytes),
          residentMb: median(after.map(({ residentBytes }) => residentBytes / 2 ** 20)),
        },
        problems: target.problems(),
      });
    }
  }
}

/** The processes that hold the tree. */
function serversOf({ processes }: Target): readonly ProcessSample[] {
  return sampleProcesses(processes.filter(({ label }) => /^(?:node|server|member) \d/.test(label)));
}

/** Returns how many znodes or keys there are then. */
async function fillTarget(
  { screen, signal }: ProfileContext,
  { protocol, addresses }: Target,
  plan: FillPlan & { readonly pathBytes: number },
): Promise<number> {
  if (protocol === "zookeeper") {
    await fill(addresses, plan, { screen, signal });
    return plan.znodes;
  }
  const keys = Math.ceil(plan.znodes * ETCD_PART);
  screen.status(`filling ${count(keys)} keys ...`);
  await fillEtcd(addresses, { ...plan, znodes: keys }, signal);
  return keys;
}

async function fillEtcd(
  addresses: readonly Address[],
  { znodes, valueBytes, pathBytes }: FillPlan & { readonly pathBytes: number },
  signal: AbortSignal,
): Promise<void> {
  const channels = addresses.map((address) => new EtcdChannel(address));
  await Promise.all(channels.map((channel) => channel.open()));
  const value = Buffer.alloc(valueBytes, "z");
  let next = 0;
  const work = async (worker: number): Promise<void> => {
    while (next < znodes) {
      signal.throwIfAborted();
      const number = next;
      next += 1;
      const key = `/${String(number).padStart(Math.max(10, pathBytes - 1), "0")}`;
      await channels[worker % channels.length]?.ask("KV/Put", putRequest(key, value));
    }
  };
  await Promise.all(Array.from({ length: ETCD_UNDER_WAY }, (_, worker) => work(worker)));
  for (const channel of channels) channel.close();
}
