/** `npm run bench -- fan-out`: how many changes servers deliver to many subscribers, and how long until the last one has each. */
import type { Measurement } from "../../report/measurement.ts";
import type { Target } from "../../targets/target.ts";
import { rootName } from "../load.ts";
import type { ProfileContext } from "../profile.ts";
import { type Audience, NotOfferedError, Received } from "./audience.ts";
import { measureCatchingUp } from "./catching-up.ts";
import { etcdWatchers } from "./etcd.ts";
import { jetStreamWatchers } from "./jetstream.ts";
import { measured } from "./measured.ts";
import { nativeStreams } from "./native.ts";
import { oneShotWatchers, persistentWatchers } from "./watchers.ts";
import { WaveRunner } from "./waves.ts";
import { pathsOf, writersOf } from "./writers.ts";

const SUBSCRIBERS = [1, 100, 1000];
/** Few subscribers need many changes under way, many subscribers few: so many events are due of one writer's wave. */
const EVENTS_OF_WAVE = 32_000;
const WAVE_MAX = 1000;
const STREAM_WRITERS = 4;

/** `one-shot` is a watch that must be set again after each event; the others are told everything once they have asked. */
type Way = "one-shot" | "persistent" | "native stream";

const WAYS: readonly Way[] = ["one-shot", "persistent", "native stream"];

export async function fanOut(context: ProfileContext): Promise<void> {
  const { options, targets, record } = context;
  for (const way of WAYS) {
    for (const subscribers of SUBSCRIBERS) {
      for (let round = 1; round <= options.rounds; round += 1) {
        for (const target of targets) {
          record(await runCase(context, target, { way, subscribers, round }));
        }
      }
    }
  }
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const target of targets) record(await runCatchingUp(context, target, round));
  }
}

async function runCatchingUp(
  context: ProfileContext,
  target: Target,
  round: number,
): Promise<Measurement> {
  const name = "native stream, catching up";
  const named = { profile: "fan-out", name, target: target.name, round };
  if (target.nats === undefined) {
    return { ...named, metrics: {}, notOffered: "only zooid's streams are measured so" };
  }
  context.screen.status(`${target.name} fan-out ${name} ${round}/${context.options.rounds}`);
  return {
    ...named,
    ...(await measureCatchingUp(context, target)),
    problems: target.problems(),
  };
}

type Case = { readonly way: Way; readonly subscribers: number; readonly round: number };

async function runCase(
  context: ProfileContext,
  target: Target,
  { way, subscribers, round }: Case,
): Promise<Measurement> {
  const name = `${way}, ${subscribers} ${subscribers === 1 ? "subscriber" : "subscribers"}`;
  const named = { profile: "fan-out", name, target: target.name, round };
  const reason = whyNotOffered(way, target);
  if (reason !== undefined) return { ...named, metrics: {}, notOffered: reason };
  context.screen.status(`${target.name} fan-out ${name} ${round}/${context.options.rounds}`);
  try {
    const measured = await measure(context, target, { way, subscribers });
    const points = [{ plot: `fan-out, ${way}`, axis: "subscribers", x: subscribers }];
    return { ...named, ...measured, problems: target.problems(), points };
  } catch (error) {
    if (!(error instanceof NotOfferedError)) throw error;
    return { ...named, metrics: {}, notOffered: error.message };
  }
}

function whyNotOffered(way: Way, { protocol, nats }: Target): string | undefined {
  if (way === "native stream" && nats === undefined && protocol === "zookeeper") {
    return "ZooKeeper has watches only";
  }
  if (way === "one-shot" && protocol !== "zookeeper") return "its watches are all persistent";
  return way === "native stream" && protocol !== "zookeeper" ? "see persistent" : undefined;
}

async function measure(
  { options, signal }: ProfileContext,
  target: Target,
  { way, subscribers }: { readonly way: Way; readonly subscribers: number },
): Promise<Pick<Measurement, "metrics" | "servers">> {
  await using stack = new AsyncDisposableStack();
  const isOneShot = way === "one-shot";
  const waveSize = isOneShot
    ? 1
    : Math.min(WAVE_MAX, Math.max(1, Math.ceil(EVENTS_OF_WAVE / subscribers)));
  const plan = {
    root: rootName(),
    writers: isOneShot ? 1 : STREAM_WRITERS,
    ...{ waveSize, valueBytes: options.valueBytes },
  };
  const writers = await writersOf(target, plan, stack);
  const received = new Received(subscribers);
  const watched = isOneShot ? (pathsOf(plan, 0)[0] ?? plan.root) : plan.root;
  const audience = stack.use(await audienceOf(target, { way, watched, received }));
  const openingMs = performance.now();
  await audience.open();
  const openMs = performance.now() - openingMs;
  const runner = new WaveRunner(received, waveSize);
  await runner.run(writers, options.warmupSeconds * 1000, signal);
  const totalBefore = received.total;
  const { metrics, ...costs } = await measured(target, async () => {
    const { latencies } = await runner.run(writers, options.seconds * 1000, signal);
    return { events: received.total - totalBefore, latencies };
  });
  return { metrics: { ...metrics, openMs }, ...costs };
}

async function audienceOf(
  { protocol, addresses, nats }: Target,
  {
    way,
    watched,
    received,
  }: { readonly way: Way; readonly watched: string; readonly received: Received },
): Promise<Audience> {
  if (way === "native stream") return await nativeStreams(nats ?? "", watched, received);
  if (way === "one-shot") return await oneShotWatchers(addresses, watched, received);
  switch (protocol) {
    case "zookeeper":
      return await persistentWatchers(addresses, watched, received);
    case "etcd":
      return await etcdWatchers(addresses, watched, received);
    case "jetstream":
      return await jetStreamWatchers(addresses, watched, received);
  }
}
