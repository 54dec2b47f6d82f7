/** Makes a program of a seed. */
import { Random } from "../../sim/random.ts";
import { drawGuard, HARD_LIMITS, LIMITS, NO_COUNTS, OPEN } from "./arguments.ts";
import { isOn } from "./features.ts";
import { drawFrame } from "./odd-frames.ts";
import { drawRequest } from "./operations.ts";
import type { Place } from "./places.ts";
import type { AclEntry, Handshake, Program, Request, Step } from "./program.ts";

const STEPS_MAX = 40;
const CLIENTS_MAX = 3;
/** Requests that leave in one write. */
const AT_ONCE_MAX = 6;
export const LONG_MS = 20_000;

/** Which connections there are, as far as one can know before the program runs. */
type World = { open: number[]; opened: number; readonly isLimited: boolean };

const NODES = 3;
const QUOTA_SHARE = 0.15;

export function programOf(seed: number, place: Place): Program {
  const random = new Random(seed);
  const quota = isOn("systemPaths") && random.chance(QUOTA_SHARE) ? drawQuota(random) : undefined;
  const isLimited = quota?.isHard === true;
  const world: World = { open: [], opened: 0, isLimited };
  const steps: Step[] = [openStep(random, world, USUAL), createOwn(random)];
  if (quota !== undefined) steps.push({ kind: "send", client: 0, requests: quota.requests });
  const count = 4 + random.below(STEPS_MAX);
  while (steps.length < count) steps.push(drawStep(random, world));
  return { seed, isLimited, steps: place === "lone" ? steps : steps.map(survivable) };
}

/**
 * ZooKeeper's ensemble ends at a check outside a multi. After a reconfig that it cannot read, or a multi with a null path, its leader waits for
 * a proposal that it never made.
 */
function survivable(step: Step): Step {
  if (step.kind !== "send") return step;
  const requests = step.requests.map((request): Request => {
    if (request.op === "check") return { ...request, op: "exists", watch: 0 };
    if (request.op === "reconfig") return { op: "reconfig", path: null };
    if (request.op !== "multi") return request;
    const members = request.members?.map((each) => ({ ...each, path: each.path ?? "~" })) ?? [];
    return { ...request, members };
  });
  return { ...step, requests };
}

const USUAL: Handshake = {
  timeoutMs: LONG_MS,
  seen: "none",
  readOnly: 0,
  version: 0,
  password: "own",
};

/** All that the program does is below its own path. Most find something there, which in some is guarded. */
function createOwn(random: Random): Step {
  const share = random.chance(0.75) ? 0.7 : 0;
  const guarded = random.chance(0.4) ? 0.6 : 0;
  const found = FOUND.filter(() => random.chance(share)).map((path) => {
    const acl = random.chance(guarded) ? drawGuard(random) : OPEN;
    return create(path, "1", acl);
  });
  return { kind: "send", client: 0, requests: [create("^", ""), create("~", ""), ...found] };
}

/** What is above comes first. */
const FOUND: readonly string[] = ["~/a", "~/b", "~/a/x", "~/a/x/deep", "~/f", "~/b/z"];

function create(path: string, data: string, acl: readonly AclEntry[] = OPEN): Request {
  return { op: "create", path, data, acl, flags: 0 };
}

/** The requests that make a quota of the program's znode, or of the one above. */
function drawQuota(random: Random): { readonly isHard: boolean; readonly requests: Request[] } {
  const isHard = random.chance(0.6);
  const limits = random.pick(isHard ? HARD_LIMITS : LIMITS);
  const parents = ["/zookeeper/quota^", "/zookeeper/quota~"].slice(0, 1 + random.below(2));
  const counts = random.chance(0.9) ? [create(`${parents.at(-1)}/zookeeper_stats`, NO_COUNTS)] : [];
  const requests = [
    ...parents.map((parent) => create(parent, "")),
    create(`${parents.at(-1)}/zookeeper_limits`, limits),
    ...counts,
  ];
  return { isHard, requests };
}

function drawStep(random: Random, world: World): Step {
  const { open } = world;
  if (open.length === 0 || (open.length < CLIENTS_MAX && random.chance(0.15))) {
    return openStep(random, world, drawHandshake(random, world));
  }
  const client = random.pick(open);
  const drawn = random.below(1000);
  if (drawn < 20) return lost(world, { kind: "cut", client });
  if (drawn < 22) return lost(world, { kind: "expire", client });
  if (drawn < 45) return { kind: "raw", client, bytes: drawFrame(random) };
  // ZooKeeper holds a write against what a quota has counted when it comes, be the writes before it done or not.
  const isAlone = world.isLimited || random.chance(0.5);
  const count = isAlone ? 1 : 1 + random.below(AT_ONCE_MAX);
  const requests = Array.from({ length: count }, () => drawRequest(random));
  // When ZooKeeper answers a proof among other requests is a matter of chance.
  const proof = requests.find(({ op }) => op === "auth");
  if (proof !== undefined) return { kind: "send", client, requests: [proof] };
  const closing = requests.findIndex(({ op }) => op === "closeSession");
  if (closing < 0) return { kind: "send", client, requests };
  // What is behind a closeSession may be read or not.
  return lost(world, { kind: "send", client, requests: requests.slice(0, closing + 1) });
}

function lost(world: World, step: Step): Step {
  world.open = world.open.filter((client) => client !== step.client);
  return step;
}

function openStep(random: Random, world: World, handshake: Handshake): Step {
  const client = world.opened;
  world.opened += 1;
  world.open.push(client);
  return { kind: "open", client, node: random.below(NODES), handshake };
}

function drawHandshake(random: Random, { opened }: World): Handshake {
  const isOdd = random.chance(0.2);
  return {
    timeoutMs: random.chance(0.05) ? random.pick([3_000_000, 12_345, 19_999]) : LONG_MS,
    ...(opened > 0 && random.chance(0.4) ? { of: random.below(opened) } : {}),
    seen: random.chance(0.1) ? random.pick(["future", "negative"]) : random.pick(["none", "last"]),
    readOnly: [0, 0, 1, undefined][random.below(4)],
    version: random.chance(0.05) ? random.pick([1, -1]) : 0,
    password: isOdd ? random.pick(["wrong", "short", "null", "long", "huge"]) : "own",
    ...(random.chance(0.02) ? { tail: "tail" } : {}),
    ...(random.chance(0.02) ? { cut: 2 + random.below(30) } : {}),
  };
}
