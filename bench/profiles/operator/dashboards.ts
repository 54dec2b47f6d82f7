/**
 * Ten dashboards, each in a tab of a real browser, on pages that people keep open. They are opened once for each ensemble, and asked to look
 * away between slots, as a tab does that nobody sees: then the page asks for nothing.
 */
import type { Browser, Page } from "puppeteer-core";
import { openBrowser } from "../../browser.ts";
import { BenchError } from "../../failure.ts";
import { folderPath } from "../../load/zookeeper/fill.ts";
import type { Target } from "../../targets/target.ts";

const READY_MS_MAX = 120_000;
const STREAM = "/api/v1/changes";

/** The pages, of which several show what is written to. `root`: whose children are the znodes of the load. */
function pagesOf(root: string): readonly string[] {
  const tree = (path: string): string => `tree?${new URLSearchParams({ path }).toString()}`;
  return [
    ...["ensemble", "ensemble", "sessions", "latency", "elections", "locks"],
    ...[tree(folderPath(0)), tree(folderPath(1)), tree(root), tree(`${root}/own-0`)],
  ];
}

/** The dashboards of the ensembles of a trial. */
export class Dashboards implements AsyncDisposable {
  readonly #opened = new Map<Target, Promise<Tabs>>();

  /** Opens them, looking away, if they are not open yet. */
  of(target: Target, root: string): Promise<Tabs> {
    const opened = this.#opened.get(target) ?? openTabs(target, root);
    this.#opened.set(target, opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = await Promise.allSettled(this.#opened.values());
    for (const each of all) if (each.status === "fulfilled") await each.value.close();
  }
}

async function openTabs({ adminUrls = [] }: Target, root: string): Promise<Tabs> {
  const browser = await openBrowser({ isNice: true });
  try {
    const pages: Page[] = [];
    for (const [index, hash] of pagesOf(root).entries()) {
      // A browser has six connections to a node for all tabs of one person.
      const page = await (await browser.createBrowserContext()).newPage();
      page.setDefaultTimeout(READY_MS_MAX);
      // Each looks at another node than the one before.
      const url = `${adminUrls[index % adminUrls.length]}/dashboard/#/${hash}`;
      const response = await page.goto(url);
      if (response?.ok() !== true) throw new BenchError(`${url}: ${await response?.text()}`);
      await page.waitForSelector("main");
      pages.push(page);
    }
    const tabs = new Tabs(browser, pages);
    await tabs.look(false);
    return tabs;
  } catch (error) {
    await browser.close();
    throw error;
  }
}

export class Tabs {
  readonly #browser: Browser;
  readonly #pages: readonly Page[];
  #answers = 0;
  #problem: string | undefined;

  constructor(browser: Browser, pages: readonly Page[]) {
    this.#browser = browser;
    this.#pages = pages;
    for (const page of pages) {
      page.on("response", (response) => {
        if (response.status() >= 500) this.#problem = `${response.url()}: ${response.status()}`;
        this.#answers += 1;
      });
      page.on("pageerror", (error) => {
        this.#problem = String(error);
      });
    }
  }

  /** How many requests were answered so far. Throws a `BenchError` if one was not. */
  get answers(): number {
    if (this.#problem !== undefined) throw new BenchError(`a dashboard: ${this.#problem}`);
    return this.#answers;
  }

  /** Resolves when those that show a tree hear of changes, or when all have looked away. */
  async look(isLooking: boolean): Promise<void> {
    const streams = isLooking ? this.#streams() : Promise.resolve();
    const script = `Object.defineProperty(document, "hidden", { configurable: true, value: ${!isLooking} });
      document.dispatchEvent(new Event("visibilitychange"))`;
    await Promise.all(this.#pages.map((page) => page.evaluate(script)));
    await streams;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  async #streams(): Promise<void> {
    const shown = this.#pages.filter((page) => page.url().includes("#/tree"));
    const begun = shown.map((page) =>
      page.waitForResponse((response) => response.url().includes(STREAM)),
    );
    await Promise.all(begun);
  }
}
