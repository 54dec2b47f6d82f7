/** What a page is asked while the dashboard is measured. */
import type { BrowserContext, CDPSession, Page } from "puppeteer-core";
import { BenchError } from "../../failure.ts";

/** How long anything is waited for. The past of a large tree takes a while to be built. */
const THERE_MS_MAX = 180_000;
/** What is observed of long tasks comes a moment after them. */
const LATE_MS = 200;

/**
 * Runs in each page before its own scripts. `until` looks at each frame, and resolves behind the paint of the one in which it is there: with the
 * milliseconds since the page was asked for, or with null when that takes too long.
 */
const PROBE = `globalThis.bench = (() => {
  const tasks = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) tasks.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });
  return {
    text: (selector) => document.querySelector(selector)?.textContent ?? "",
    rows: () => document.querySelectorAll("[role=treeitem]").length,
    row: (name) => [...document.querySelectorAll("[role=treeitem]")]
      .find((row) => row.querySelector(".name")?.textContent === name),
    until: (isThere) => new Promise((resolve) => {
      const is = () => {
        // What is not there yet has no fields.
        try { return isThere(); } catch { return false; }
      };
      const look = () => {
        if (is()) setTimeout(() => resolve(performance.now()));
        else if (performance.now() > end) resolve(null);
        else requestAnimationFrame(look);
      };
      const end = performance.now() + ${THERE_MS_MAX};
      look();
    }),
    longestTaskMs: (sinceMs) => tasks
      .filter(({ startTime }) => startTime >= sinceMs)
      .reduce((longest, { duration }) => Math.max(longest, duration), 0),
  };
})();`;

/** What is waited for, as an expression of JavaScript in the page: `shown` is what was asked for, `whole` all of the page. */
export type Expected = { readonly shown: string; readonly whole?: string | undefined };

/** In milliseconds since the page was asked for, or since it was acted on. */
export type Times = {
  readonly shownMs: number;
  readonly wholeMs: number;
  /** 0: none took 50 ms, from where on the browser reports them. */
  readonly longestTaskMs: number;
};

export type PageState = {
  readonly domNodes: number;
  /** After a collection of garbage. */
  readonly heapMb: number;
};

/** One page of the dashboard, which is open until it is disposed of. */
export class MeasuredTab implements AsyncDisposable {
  readonly #page: Page;
  readonly #protocol: CDPSession;
  #receivedBytes = 0;

  static async open(context: BrowserContext): Promise<MeasuredTab> {
    const page = await context.newPage();
    const protocol = await page.createCDPSession();
    return new MeasuredTab(page, protocol);
  }

  private constructor(page: Page, protocol: CDPSession) {
    this.#page = page;
    this.#protocol = protocol;
    protocol.on("Network.loadingFinished", ({ encodedDataLength }) => {
      this.#receivedBytes += encodedDataLength;
    });
  }

  /** How much has come since the last call, with headers, without answers that are not over. */
  takeReceivedKb(): number {
    const kb = this.#receivedBytes / 1024;
    this.#receivedBytes = 0;
    return kb;
  }

  /** Goes to the address as a new page. */
  async load(url: string, expected: Expected): Promise<Times & { readonly firstPaintMs: number }> {
    await this.#protocol.send("Network.enable");
    const waits = `bench.times = Promise.all([${expressionsOf(expected)}]);`;
    await this.#page.evaluateOnNewDocument(`${PROBE}\n${waits}`);
    await this.#page.goto(url, { waitUntil: "domcontentloaded" });
    const times = timesIn(await this.#page.evaluate("bench.times"), 0, url);
    const paint = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime';
    const firstPaintMs = Number(await this.#page.evaluate(paint));
    return { ...times, firstPaintMs, longestTaskMs: await this.longestTaskMs(0) };
  }

  /** `action`: statements of JavaScript in the page. Nothing of what is expected is there before it. */
  async act(action: string, expected: Expected): Promise<Times> {
    const script = `(async () => {
      const waits = [${expressionsOf(expected)}];
      const beganMs = performance.now();
      ${action};
      return { beganMs, ends: await Promise.all(waits) };
    })()`;
    const { beganMs, ends } = (await this.#page.evaluate(script)) as Acted;
    return {
      ...timesIn(ends, beganMs, action),
      longestTaskMs: await this.longestTaskMs(beganMs),
    };
  }

  async state(): Promise<PageState> {
    await this.#protocol.send("HeapProfiler.collectGarbage");
    const { Nodes = 0, JSHeapUsedSize = 0 } = await this.#page.metrics();
    return { domNodes: Nodes, heapMb: JSHeapUsedSize / 2 ** 20 };
  }

  evaluate(script: string): Promise<unknown> {
    return this.#page.evaluate(script);
  }

  /** `sinceMs`: by the clock of the page. */
  async longestTaskMs(sinceMs: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    return Number(await this.#page.evaluate(`bench.longestTaskMs(${sinceMs})`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It may have gone with its browser.
    await this.#page.close().catch(() => undefined);
  }
}

type Acted = { readonly beganMs: number; readonly ends: unknown };

function expressionsOf({ shown, whole = shown }: Expected): string {
  return [shown, whole].map((there) => `bench.until(() => (${there}))`).join(", ");
}

function timesIn(ends: unknown, beganMs: number, what: string): Omit<Times, "longestTaskMs"> {
  const [shown, whole] = ends as readonly (number | null)[];
  if (typeof shown !== "number" || typeof whole !== "number") {
    throw new BenchError(`the page did not show within ${THERE_MS_MAX} ms what it should: ${what}`);
  }
  return { shownMs: shown - beganMs, wholeMs: whole - beganMs };
}
