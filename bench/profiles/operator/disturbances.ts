/**
 * What operators and their tools do to an ensemble. Each takes place within a slot of time, and says how often: a disturbance that did not take
 * place would cost nothing.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BenchError } from "../../failure.ts";
import type { DisturbanceWord } from "../../options.ts";
import { folderPath } from "../../load/zookeeper/fill.ts";
import { fourLetterWord, type Target } from "../../targets/target.ts";
import type { Dashboards } from "./dashboards.ts";
import { runTool, startTool } from "./tool.ts";

export type Disturbance = {
  /** For `--disturbances`. */
  readonly word: DisturbanceWord;
  readonly name: string;
  /** It takes part in the first of so many rounds, if its slots are much longer than others'. */
  readonly everyRounds: number;
  /** How long a slot and what comes before it take, about. Undefined: as long as a backup. */
  readonly aboutMs?: number;
  /** How long nothing follows its slot, if what it leaves behind takes so long. */
  readonly settleMs: number;
  /** Does what belongs before the slot. */
  readonly prepare: (of: Target, around: Around) => Promise<Disturbing>;
};

export type Around = {
  readonly dashboards: Dashboards;
  /** The znode below which the load has its own. */
  readonly root: string;
  /** Where files that it makes go. */
  readonly folder: string;
  readonly signal: AbortSignal;
};

export type Disturbing = {
  /** Disturbs for a slot. Resolves, when the slot is over and nothing is under way any more, with how often it has done it. Rejects if it cannot. */
  readonly slot: () => Promise<number>;
  /** Does what belongs after the slot. */
  readonly end: () => Promise<void>;
};

/** Most slots are as long as this. In them something is done once, so it is done each second. */
const SLOT_MS = 1000;
/** It tells something each second, but not at the beginning of a slot. */
const TOP_SLOT_MS = 2000;
/** About. */
const TOP_START_MS = 1500;
/** Pages ask twice a second for what changes, and every two seconds for what else they show. */
const DASHBOARDS_SLOT_MS = 4000;
/** After a backup its file is removed, which the disk works at. */
const BACKUP_SETTLE_MS = 1500;
const BACKUP_EVERY_ROUNDS = 3;
const POLL_MS = 50;
const TOP_BEGINS_MS_MAX = 60_000;
const ANSWER_MS_MAX = 10_000;
const CHILDREN_LISTED = 500;

export const DISTURBANCES: readonly Disturbance[] = [
  eachSecond("status", "status each second", (of, signal) =>
    runTool(["status", "--server", urlOf(of)], signal),
  ),
  {
    word: "top",
    name: "top",
    everyRounds: 1,
    aboutMs: TOP_SLOT_MS + TOP_START_MS,
    settleMs: 0,
    prepare: topOf,
  },
  eachSecond("metrics", "/metrics, mntr each second", ({ adminUrls = [] }) =>
    fetchAll(adminUrls.flatMap((url) => [`${url}/metrics`, `${url}/commands/monitor`])),
  ),
  eachSecond("listing", "500 znodes as JSON each second", ({ adminUrls = [] }) => {
    const query = `path=${folderPath(0)}&limit=${CHILDREN_LISTED}`;
    return fetchAll(adminUrls.map((url) => `${url}/api/v1/children?${query}`));
  }),
  {
    ...{ word: "dashboards", name: "ten dashboards", everyRounds: 1 },
    ...{ aboutMs: DASHBOARDS_SLOT_MS, settleMs: 0, prepare: dashboardsOf },
  },
  {
    word: "backup",
    name: "backup",
    everyRounds: BACKUP_EVERY_ROUNDS,
    settleMs: BACKUP_SETTLE_MS,
    prepare: backupOf,
  },
  // Both treatments are the same, so what they differ by is what the method is wrong by.
  eachSecond("control", "nothing, as a control", () => Promise.resolve()),
];

function urlOf({ addresses }: Target): string {
  return `zk://${addresses.map(({ host, port }) => `${host}:${port}`).join(",")}`;
}

/** Something that is over within the second. If it is not, its slot is longer. */
function eachSecond(
  word: DisturbanceWord,
  name: string,
  act: (of: Target, signal: AbortSignal) => Promise<void>,
): Disturbance {
  const slotOf = async (of: Target, signal: AbortSignal): Promise<number> => {
    await Promise.all([act(of, signal), delay(SLOT_MS, undefined, { signal })]);
    return 1;
  };
  return {
    ...{ word, name, everyRounds: 1, aboutMs: SLOT_MS, settleMs: 0 },
    prepare: (of, { signal }) =>
      Promise.resolve({ slot: () => slotOf(of, signal), end: () => Promise.resolve() }),
  };
}

/** It runs before its slot begins, so that the slot has what it goes on doing and not its start. */
async function topOf({ natsFile }: Target, { signal }: Around): Promise<Disturbing> {
  const tool = startTool(["top", "--server", `@${natsFile}`, "--interval", "1", "--json"]);
  let problem: string | undefined;
  void tool.ended.then((said) => {
    problem = said ?? "zooid top has ended";
  });
  const check = (): void => {
    if (problem !== undefined) throw new BenchError(problem);
  };
  try {
    for (let waitedMs = 0; tool.lines() === 0; waitedMs += POLL_MS) {
      if (waitedMs > TOP_BEGINS_MS_MAX) throw new BenchError("zooid top tells nothing");
      await delay(POLL_MS, undefined, { signal });
      check();
    }
  } catch (error) {
    await tool.stop();
    throw error;
  }
  return {
    slot: async () => {
      const before = tool.lines();
      await delay(TOP_SLOT_MS, undefined, { signal });
      check();
      return tool.lines() - before;
    },
    end: () => tool.stop(),
  };
}

/** They look at what is there before the slot begins, and go on looking in it. */
async function dashboardsOf(of: Target, { dashboards, root, signal }: Around): Promise<Disturbing> {
  const tabs = await dashboards.of(of, root);
  await tabs.look(true);
  return {
    slot: async () => {
      const before = tabs.answers;
      await delay(DASHBOARDS_SLOT_MS, undefined, { signal });
      return tabs.answers - before;
    },
    end: () => tabs.look(false),
  };
}

/** The slot is as long as the backup. The node backed up is one that follows, if there is one. */
async function backupOf(
  { folders = [], addresses }: Target,
  { folder, signal }: Around,
): Promise<Disturbing> {
  const node = await followerOf({ addresses });
  const { host, port } = addresses[node] ?? { host: "", port: 0 };
  const file = join(folder, `zooid-bench-backup-${randomUUID()}`);
  return {
    slot: async () => {
      const args = ["backup", folders[node] ?? "", file, "--server", `${host}:${port}`];
      await runTool(args, signal);
      return 1;
    },
    end: () => rm(file, { force: true }),
  };
}

async function followerOf({ addresses }: Pick<Target, "addresses">): Promise<number> {
  const answers = await Promise.all(addresses.map((each) => fourLetterWord(each, "srvr")));
  return Math.max(
    0,
    answers.findIndex((answer) => /^Mode: follower$/m.test(answer ?? "")),
  );
}

async function fetchAll(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const reply = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const text = await reply.text();
    if (!reply.ok) throw new BenchError(`${url}: ${reply.status} ${text.slice(0, 200)}`);
  }
}
