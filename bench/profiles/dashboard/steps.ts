/** What a person does in the page of the tree, one step after the other. */
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "../../../client/connect.ts";
import { folderPath, znodePath } from "../../load/zookeeper/fill.ts";
import type { MeasuredTab, Times } from "./measured-tab.ts";
import { type Goals, nameOf, treeRoute, ZNODE_PAGE, znodeExpected } from "./cases.ts";
import { PARENT } from "./furnish.ts";

export type Step = {
  readonly name: string;
  readonly goals: Goals;
  readonly run: (tab: MeasuredTab, client: Client) => Promise<Times>;
};

/** Before each step: what the one before has left under way ends, and the page reads again what has changed. */
export const REST_MS = 1500;

const BOX = 'document.querySelector("[role=tree]")';
const HEIGHT = 'document.querySelector(".tree-rows").offsetHeight';

/** The page shows the parent of many, which is the last row. `middle`: one of its children. */
export function stepsOf(middle: string): readonly Step[] {
  const twist = `${rowOf(nameOf(PARENT))}.querySelector(".twist")`;
  return [
    {
      ...{ name: "open the parent of many in the tree", goals: {} },
      run: (tab) => tab.act(`${twist}.click()`, THIRD_LEVEL),
    },
    { name: "ten new children a second, five seconds long", goals: {}, run: watchGrowth },
    {
      ...{ name: "choose a child of many", goals: ZNODE_PAGE },
      run: async (tab) => {
        // The tenth of those in sight, or near it.
        const row = `${THIRD_LEVEL_ROWS}[10]`;
        const name = String(await tab.evaluate(`${row}.querySelector(".name").textContent`));
        return await tab.act(`${rowOf(name)}.click()`, znodeExpected(`${PARENT}/${name}`));
      },
    },
    choose("choose the parent of many", PARENT),
    { name: "the next page of children, by scrolling", goals: {}, run: scrollOn },
    choose("a child in the middle of many, by its path", middle),
    choose("a parent of a thousand, by its path", folderPath(1)),
    choose("a child of a thousand, by its path", znodePath({ folder: 1, number: 10 })),
  ];
}

/** Everything that scrolling reads, as far as the page lets it. */
export const SCROLL_TO_THE_END: Step = {
  name: "scroll as far as it goes",
  goals: {},
  run: async (tab) => {
    const scroll = `bench.scrolling = setInterval(() => { ${BOX}.scrollTop = 1e9; }, 10)`;
    const full = 'bench.text(".tree-row.more").includes("open one by its path")';
    const times = await tab.act(scroll, { shown: full });
    await tab.evaluate("clearInterval(bench.scrolling)");
    return times;
  },
};

/** Who uses it goes to the page of the locks first. */
export const FIND_LOCKS: Step = {
  name: "find locks below the root",
  goals: {},
  run: async (tab) => {
    const button = 'document.querySelector("section[aria-labelledby=found] button")';
    await tab.act('location.hash = "#/locks?path=/"', { shown: button });
    await delay(REST_MS);
    const status = 'bench.text("section[aria-labelledby=found] [role=status]")';
    const over = `${status}.includes("looked at") && !${status}.includes("looking")`;
    return await tab.act(`${button}.click()`, { shown: over });
  },
};

const THIRD_LEVEL_ROWS = `document.querySelectorAll('[aria-level="3"]')`;
const THIRD_LEVEL = { shown: `${THIRD_LEVEL_ROWS}.length > 10` };

function rowOf(name: string): string {
  return `bench.row(${JSON.stringify(name)})`;
}

function choose(name: string, path: string): Step {
  return { name, goals: ZNODE_PAGE, run: (tab) => goTo(tab, path) };
}

/** As a link and the field of the path do. */
function goTo(tab: MeasuredTab, path: string): Promise<Times> {
  const go = `location.hash = ${JSON.stringify(treeRoute(path))}`;
  return tab.act(go, znodeExpected(path));
}

const NEW_CHILDREN = 50;
const NEW_EVERY_MS = 100;

/** Shown is from when the last one is asked for until the row of the parent counts it. */
async function watchGrowth(tab: MeasuredTab, client: Client): Promise<Times> {
  const beganMs = Number(await tab.evaluate("performance.now()"));
  const create = (): Promise<unknown> => client.create(`${PARENT}/new-`, "", { sequential: true });
  for (let made = 1; made < NEW_CHILDREN; made += 1) {
    await create();
    await delay(NEW_EVERY_MS);
  }
  const { stat } = await client.exists(PARENT);
  const count = ((stat?.numChildren ?? 0) + 1).toLocaleString("en");
  const counted = `${rowOf(nameOf(PARENT))}.querySelector(".count").textContent === "${count}"`;
  const [times] = await Promise.all([tab.act("", { shown: counted }), create()]);
  return { ...times, longestTaskMs: await tab.longestTaskMs(beganMs) };
}

async function scrollOn(tab: MeasuredTab): Promise<Times> {
  const height = Number(await tab.evaluate(HEIGHT));
  return await tab.act(`${BOX}.scrollTop = 1e9`, { shown: `${HEIGHT} > ${height}` });
}
