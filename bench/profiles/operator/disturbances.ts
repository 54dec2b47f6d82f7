/**
 * What operators and their tools do to an ensemble while clients use it. Each goes on until it is stopped, and says then how often it
 * was done: a disturbance that did not take place would cost nothing.
 */
import { randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { folderPath } from "../../load/zookeeper/fill.ts";
import { BenchError } from "../../failure.ts";
import { fourLetterWord, type Target } from "../../targets/target.ts";
import { runTool, startTool } from "./tool.ts";

export type Disturbance = {
  readonly name: string;
  /** Begins it. `folder` is where files that it makes go. */
  readonly begin: (of: Target, folder: string) => Disturbing;
};

export type Disturbing = {
  /** Resolves when it takes place. Default: it does at once. */
  readonly underWay?: (signal: AbortSignal) => Promise<void>;
  /** How often it was done so far. */
  readonly times: () => number;
  /** Resolves, when nothing of it is under way any more, with what went wrong. */
  readonly stop: () => Promise<readonly string[]>;
};

const EVERY_MS = 1000;
const POLL_MS = 50;
const WRITTEN_MS_MAX = 60_000;
const ANSWER_MS_MAX = 10_000;
const CHILDREN_LISTED = 500;

export const DISTURBANCES: readonly Disturbance[] = [
  {
    name: "zooid status each second",
    begin: (of) =>
      repeated(EVERY_MS, (signal) => runTool(["status", "--server", urlOf(of)], signal)),
  },
  { name: "zooid top live", begin: topOf },
  {
    name: "/metrics and mntr each second",
    begin: ({ adminUrls = [] }) =>
      repeated(EVERY_MS, (signal) =>
        fetchAll(
          adminUrls.flatMap((url) => [`${url}/metrics`, `${url}/commands/monitor`]),
          signal,
        ),
      ),
  },
  {
    name: "a listing of 500 znodes as JSON each second",
    begin: ({ adminUrls = [] }) =>
      repeated(EVERY_MS, (signal) => {
        const query = `path=${folderPath(0)}&limit=${CHILDREN_LISTED}`;
        return fetchAll(
          adminUrls.map((url) => `${url}/api/v1/children?${query}`),
          signal,
        );
      }),
  },
  { name: "zooid backup, one after the other", begin: backupsOf },
];

function urlOf({ addresses }: Target): string {
  return `zk://${addresses.map(({ host, port }) => `${host}:${port}`).join(",")}`;
}

function topOf({ natsFile }: Target): Disturbing {
  const tool = startTool(["top", "--server", `@${natsFile}`, "--interval", "1", "--json"]);
  let problem: string | undefined;
  void tool.ended.then((said) => {
    problem = said;
  });
  return {
    times: tool.lines,
    stop: async () => {
      // It goes on until it is stopped, so a problem is there by now if there is one.
      const said = problem;
      await tool.stop();
      return said === undefined ? [] : [said];
    },
  };
}

/** The node backed up is one that follows, if there is one. */
function backupsOf({ folders = [], addresses }: Target, folder: string): Disturbing {
  const prefix = `zooid-bench-backup-${randomUUID()}`;
  const disturbing = repeated(0, async (signal) => {
    const node = await followerOf({ addresses });
    const { host, port } = addresses[node] ?? { host: "", port: 0 };
    const file = join(folder, prefix);
    const args = ["backup", folders[node] ?? "", file, "--server", `${host}:${port}`];
    try {
      await runTool(args, signal);
    } finally {
      await rm(file, { force: true });
    }
  });
  return { ...disturbing, underWay: (signal) => untilWritten(folder, prefix, signal) };
}

/**
 * A backup reads all that it will hold before it writes. Whoever measures one waits for that: it is what syncs of a log meet. Rejects if none
 * comes to it.
 */
async function untilWritten(folder: string, prefix: string, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < WRITTEN_MS_MAX; waitedMs += POLL_MS) {
    const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
    const sizes = await Promise.all(
      names.map((name) =>
        stat(join(folder, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    if (sizes.some((size) => size > 0)) return;
    await delay(POLL_MS, undefined, { signal });
  }
  throw new BenchError(`no backup has begun to write within ${WRITTEN_MS_MAX / 1000} s`);
}

async function followerOf({ addresses }: Pick<Target, "addresses">): Promise<number> {
  const answers = await Promise.all(addresses.map((each) => fourLetterWord(each, "srvr")));
  return Math.max(
    0,
    answers.findIndex((answer) => /^Mode: follower$/m.test(answer ?? "")),
  );
}

async function fetchAll(urls: readonly string[], stopped: AbortSignal): Promise<void> {
  for (const url of urls) {
    if (stopped.aborted) return;
    const reply = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${url}: ${reply.status} ${text.slice(0, 200)}`);
  }
}

/** Begins again so long after the last beginning, or when the last one is over, if that is later. */
function repeated(everyMs: number, act: (signal: AbortSignal) => Promise<void>): Disturbing {
  const stopping = new AbortController();
  const { signal } = stopping;
  const problems = new Set<string>();
  let times = 0;
  const done = (async (): Promise<void> => {
    while (!signal.aborted) {
      const dueMs = performance.now() + everyMs;
      try {
        await act(signal);
        if (!signal.aborted) times += 1;
      } catch (error) {
        if (signal.aborted) return;
        problems.add(error instanceof Error ? error.message : String(error));
        // What fails at once would be begun again at once.
        if (everyMs === 0) return;
      }
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) await delay(leftMs, undefined, { signal }).catch(() => undefined);
    }
  })();
  return {
    times: () => times,
    stop: async () => {
      stopping.abort();
      await done;
      return [...problems];
    },
  };
}
