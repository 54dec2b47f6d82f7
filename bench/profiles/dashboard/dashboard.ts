/**
 * `npm run bench -- dashboard`: how long a person waits for each page of the dashboard, in a real browser, with a large tree one parent of which
 * has as many children as the rest of it has znodes. And what that costs the browser and the nodes.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Browser } from "puppeteer-core";
import { BenchError } from "../../failure.ts";
import { FOLDER_ZNODES, znodePath } from "../../load/zookeeper/fill.ts";
import { sampleProcesses } from "../../processes.ts";
import type { Measurement, MetricName } from "../../report/measurement.ts";
import type { Target } from "../../targets/target.ts";
import { bucketsOfAll, longestMs } from "../operator/loop-times.ts";
import { backupOfFilled, startRestored, ZNODES } from "../operator/restored.ts";
import type { ProfileContext } from "../profile.ts";
import { openBrowser } from "../../browser.ts";
import { MeasuredTab } from "./measured-tab.ts";
import { FIRST_PAINT, type Goals, pageCases, treeRoute, znodeExpected } from "./cases.ts";
import { type Furnished, furnish, PARENT } from "./furnish.ts";
import { goalsText } from "./goals.ts";
import { FIND_LOCKS, REST_MS, SCROLL_TO_THE_END, type Step, stepsOf } from "./steps.ts";

const NODES = 3;
/** Scrolling to the end takes long, and is the same each time. */
const SCROLLED_ROUNDS = 3;
/** So many children of one parent are read by scrolling (`dashboard/src/tree-rows.ts`). */
const SCROLLED_MAX = 50_000;
const BUNDLE: string = fileURLToPath(new URL("../../../dashboard/build.ts", import.meta.url));

type Running = {
  readonly target: Target;
  readonly browser: Browser;
  readonly furnished: Furnished;
  /** Where the page of the first node is. */
  readonly url: string;
  readonly middle: string;
  readonly sought: string;
  /** There are more children than the page lets scroll to. */
  readonly isMany: boolean;
};

export async function dashboard(context: ProfileContext): Promise<void> {
  const { options, screen, signal } = context;
  buildBundle();
  const folder = await mkdtemp(join(options.folder, "zooid-bench-dashboard-"));
  try {
    await using browser = await openBrowser({ isNice: false });
    const close = (): void => void browser.close().catch(() => undefined);
    signal.addEventListener("abort", close, { once: true });
    const { file } = await backupOfFilled(context, folder, PARENT);
    screen.status(`restoring ${NODES} nodes ...`);
    await using target = await startRestored(context, { nodes: NODES, file });
    await using furnished = await furnish(target.addresses);
    const znodes = options.znodes ?? ZNODES;
    const named = await childrenOf(znodes, furnished);
    const url = `${target.adminUrls?.[0]}/dashboard/`;
    const isMany = znodes > SCROLLED_MAX;
    // What was logged at the start is no problem of a page.
    target.problems();
    await measure(context, { target, browser, furnished, url, isMany, ...named });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is measured are the sources as they are. */
function buildBundle(): void {
  const { status } = spawnSync(process.execPath, [BUNDLE], { stdio: "inherit" });
  if (status !== 0) throw new BenchError("the bundle of the dashboard cannot be built");
}

async function childrenOf(
  znodes: number,
  { client }: Furnished,
): Promise<Pick<Running, "middle" | "sought">> {
  const folders = Math.ceil(znodes / FOLDER_ZNODES);
  const flat = { root: PARENT, isFlat: true };
  const middle = znodePath({ folder: Math.floor(folders / 2), number: 500 }, flat);
  const { stat } = await client.exists(middle);
  if (stat === undefined) throw new BenchError(`the tree was filled without ${middle}`);
  const last = znodePath({ folder: folders - 1, number: 0 }, flat);
  // The names of ten of the last children begin so.
  return { middle, sought: last.slice(PARENT.length + 1, -1) };
}

async function measure(context: ProfileContext, running: Running): Promise<void> {
  const { options, screen, signal } = context;
  const goalsOf = new Map<string, Goals>();
  const measurements: Measurement[] = [];
  const note = (name: string, goals: Goals, measurement: Measurement): void => {
    goalsOf.set(name, goals);
    measurements.push(measurement);
    context.record(measurement);
  };
  try {
    for (let round = 1; round <= options.rounds; round += 1) {
      // First what takes least: the past of a large tree takes minutes on a machine with other work.
      await walk(running, round, { note, signal });
      for (const page of pageCases({ ...running.furnished, ...running })) {
        await using visitor = await running.browser.createBrowserContext();
        for (const visit of ["first", "next"]) {
          signal.throwIfAborted();
          const name = `${page.name}, ${visit} visit`;
          await using tab = await MeasuredTab.open(visitor);
          const load = (): Promise<Measured> => tab.load(running.url + page.route, page);
          note(name, FIRST_PAINT, await measured(running, { name, round, tab, act: load }));
        }
      }
    }
  } finally {
    if (measurements.length > 0) screen.print(goalsText(measurements, goalsOf));
  }
}

type Walk = {
  readonly note: (name: string, goals: Goals, measurement: Measurement) => void;
  readonly signal: AbortSignal;
};

/** All steps in one page, which stays open. */
async function walk(running: Running, round: number, { note, signal }: Walk): Promise<void> {
  await using visitor = await running.browser.createBrowserContext();
  await using tab = await MeasuredTab.open(visitor);
  await tab.load(running.url + treeRoute(PARENT), znodeExpected(PARENT));
  const steps: readonly Step[] = [
    ...stepsOf(running.middle),
    ...(round <= SCROLLED_ROUNDS && running.isMany ? [SCROLL_TO_THE_END] : []),
    FIND_LOCKS,
  ];
  for (const { name, goals, run } of steps) {
    await delay(REST_MS, undefined, { signal });
    tab.takeReceivedKb();
    const act = (): Promise<Measured> => run(tab, running.furnished.client);
    note(name, goals, await measured(running, { name, round, tab, act }));
  }
}

type Measured = Readonly<
  Partial<Record<MetricName & ("firstPaintMs" | "shownMs" | "wholeMs" | "longestTaskMs"), number>>
>;

type Case = {
  readonly name: string;
  readonly round: number;
  readonly tab: MeasuredTab;
  readonly act: () => Promise<Measured>;
};

async function measured(
  { target }: Running,
  { name, round, tab, act }: Case,
): Promise<Measurement> {
  const before = await bucketsOfAll(target);
  const problems: string[] = [];
  const times = await act().catch((error: unknown): Measured => {
    if (!(error instanceof BenchError)) throw error;
    problems.push(error.message);
    return {};
  });
  const after = await bucketsOfAll(target);
  const nodes = target.processes.filter(({ label }) => label.startsWith("node "));
  const residentBytes = sampleProcesses(nodes).map((each) => each.residentBytes);
  return {
    ...{ profile: "dashboard", name, target: target.name, round },
    metrics: {
      ...times,
      ...(await tab.state()),
      receivedKb: tab.takeReceivedKb(),
      turnMsMax: longestMs("zooid_turn_seconds", { before, after }),
      loopDelayMsMax: longestMs("zooid_event_loop_delay_seconds", { before, after }),
      residentMb: Math.max(...residentBytes) / 2 ** 20,
    },
    problems: [...problems, ...target.problems()],
  };
}
