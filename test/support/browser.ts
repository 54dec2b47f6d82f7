/** A real browser without windows: Debian's Chromium, and what a page of it is asked. */
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { CHROMIUM } from "../setup/debian.ts";
import { until } from "./until.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Where `npm run dashboard:screenshots` wants them. Undefined: none are made. */
const SCREENSHOTS = process.env["ZOOID_SCREENSHOTS"];
const SCHEMES = ["light", "dark"] as const;
const PATIENCE_MS = 180_000;

export function openBrowser(): Promise<Browser> {
  return puppeteer.launch({
    executablePath: CHROMIUM,
    args: [
      // Chromium's sandbox needs user namespaces and another user than root, whom tests in a container are. It opens pages of this process alone.
      "--no-sandbox",
      // A container's /dev/shm may be small.
      "--disable-dev-shm-usage",
      "--disable-gpu",
    ],
    defaultViewport: { width: 1280, height: 800 },
  });
}

/** A page, and what went wrong in it. */
export class Tab {
  readonly page: Page;
  /** What its console and its policy have complained of, and requests to others than the page's own node. */
  readonly problems: string[] = [];

  static async open(browser: Browser, url: string): Promise<Tab> {
    const context = await browser.createBrowserContext();
    const tab = new Tab(await context.newPage(), new URL(url).origin);
    // A machine with other work takes longer than the default of 30 s now and then.
    tab.page.setDefaultTimeout(PATIENCE_MS);
    // Safari has no such method, nor has Chrome before 124.
    const lacking = "delete ReadableStream.prototype[Symbol.asyncIterator]";
    await tab.page.evaluateOnNewDocument(lacking);
    await tab.page.goto(url);
    return tab;
  }

  private constructor(page: Page, origin: string) {
    this.page = page;
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      // A status that is no success is in the console of itself, and is what some cases are about.
      const isStatus = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isStatus) this.problems.push(message.text());
    });
    page.on("dialog", (dialog) => {
      this.problems.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) this.problems.push(url);
    });
  }

  /** The text of the page as a person sees it. */
  async text(): Promise<string> {
    return String(await this.page.evaluate("document.body.innerText"));
  }

  async sees(text: string): Promise<void> {
    await until(async () => (await this.text()).includes(text), `the page shows ${text}`);
  }

  /** Clicks what has the role and the name for assistive technology. */
  async click(role: string, name: string): Promise<void> {
    await this.page.locator(`::-p-aria([name="${name}"][role="${role}"])`).click();
  }

  /** Clicks the first link whose text begins so, wherever it has come to stand meanwhile: a page that is live moves. */
  async follow(beginning: string): Promise<void> {
    const script = `(() => {
      const link = [...document.links].find((each) => each.innerText.startsWith(${JSON.stringify(beginning)}));
      link?.click();
      return link !== undefined;
    })()`;
    await until(async () => (await this.evaluate(script)) === true, `there is a link ${beginning}`);
  }

  /** Puts the text in the place of what stands in the field with the label. */
  async fill(label: string, text: string): Promise<void> {
    const field = this.page.locator(`::-p-aria([name="${label}"][role="textbox"])`);
    // As a person does, and again if the page was drawn in between: what a script takes out of a field, the page puts in again.
    await until(async () => {
      const handle = await field.waitHandle();
      await handle.focus();
      await this.page.keyboard.down("Control");
      await this.page.keyboard.press("a");
      await this.page.keyboard.up("Control");
      if (text === "") await this.page.keyboard.press("Delete");
      else await this.page.keyboard.sendCharacter(text);
      const value = await handle.evaluate(
        (element) => (element as unknown as { value: string }).value,
      );
      return value === text;
    }, `${label} has the text`);
  }

  /** The browser fails each request whose URL fits the pattern, until what is returned is called. */
  async block(url: string): Promise<() => Promise<void>> {
    const protocol = await this.page.createCDPSession();
    await protocol.send("Network.enable");
    await protocol.send("Network.setBlockedURLs", { urls: [url] });
    return () => protocol.detach();
  }

  evaluate(script: string): Promise<unknown> {
    return this.page.evaluate(script);
  }

  /** What axe finds wrong with the page, in light and in dark, as lines. Pictures are made on the way, where they are wanted. */
  async barriers(name: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (const scheme of SCHEMES) {
      await this.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      if (SCREENSHOTS !== undefined) await this.#shoot(SCREENSHOTS, `${name}-${scheme}`);
      await this.evaluate(`if (window.axe === undefined) { ${AXE} }`);
      // Between light and dark only colours differ.
      const rules = scheme === "light" ? "{}" : '{ runOnly: ["color-contrast"] }';
      const all = (await this.evaluate(
        `axe.run(${rules}).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html, failureSummary].join(" "))))`,
      )) as readonly string[];
      found.push(...all.map((line) => `${scheme}: ${line}`));
    }
    return found;
  }

  async #shoot(folder: string, name: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) as `${string}.png` });
  }
}
