/** The docs site as it is built from this checkout, without the reference, and read in a real Chromium. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import anyTest, { type TestFn } from "ava";
import type { Browser } from "puppeteer-core";
import { buildSite } from "../../site/build.ts";
import { type Page, pageOf, place, type PlacedSection, readPages } from "../../site/pages.ts";
import { addressOf, serveSite } from "../../site/serve.ts";
import { runMutant } from "../sim/mutants/run.ts";
import { simulate } from "../sim/simulate.ts";
import { openBrowser, Tab } from "../support/browser.ts";
import { until } from "../support/until.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

type Shared = {
  readonly folder: string;
  readonly pages: readonly Page[];
  readonly sections: readonly PlacedSection[];
  readonly server: Server;
  readonly browser: Browser;
};
const test = anyTest as TestFn<Shared>;
const started = new AsyncDisposableStack();

test.before(async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-site-"));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const pages = readPages(false);
  const startedMs = performance.now();
  const sections = await buildSite(folder, pages);
  t.log(`${pages.length} pages in ${Math.round(performance.now() - startedMs)} ms`);
  const server = await serveSite(folder, 0);
  started.defer(() => void server.close());
  const browser = await openBrowser();
  started.defer(() => browser.close());
  t.context = { folder, pages, sections, server, browser };
});

test.after.always(() => started.disposeAsync());

function htmlOf(folder: string): readonly string[] {
  return globSync("**/*.html", { cwd: folder });
}

/** What an attribute, or the text of an element, is without HTML's escapes. */
function unescaped(html: string): string {
  const names: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', amp: "&" };
  return html.replaceAll(/&(lt|gt|quot|amp);/g, (_, name: string) => names[name] ?? "");
}

/** As the server finds a file: without the query, and percent-decoded. */
function fileAt(page: string, href: string): string {
  return posix.normalize(posix.join(posix.dirname(page), decodeURIComponent(href)));
}

test.serial("every Markdown file of docs/ has a page, with its title", (t) => {
  const { folder } = t.context;
  const sources = globSync("docs/**/*.md", {
    cwd: CHECKOUT,
    exclude: ["docs/client/api"],
  });
  t.true(sources.length > 100);
  for (const source of sources) {
    const path = source.slice("docs/".length).replace(/(README)?\.md$/, (_, name?: string) => {
      return name === undefined ? ".html" : "index.html";
    });
    const [, title = ""] = /^# (.+)$/m.exec(readFileSync(join(CHECKOUT, source), "utf8")) ?? [];
    const html = readFileSync(join(folder, path), "utf8");
    const [, shown = ""] = /<h1[^>]*>([^]*?)<\/h1>/.exec(html) ?? [];
    t.is(unescaped(shown.replaceAll(/<[^>]+>/g, "")), title.replaceAll("`", ""), source);
  }
});

test.serial("no page loads anything from another host", (t) => {
  const { folder } = t.context;
  const loaded: string[] = [];
  for (const page of htmlOf(folder)) {
    const html = readFileSync(join(folder, page), "utf8");
    t.true(html.includes("content=\"default-src 'none';"), page);
    const tags = html.matchAll(
      /<(?:script|link|img|source|iframe|video|audio|object|embed)\b[^>]*>/g,
    );
    for (const [tag] of tags) {
      for (const [, url = ""] of tag.matchAll(/(?:src|href|data|srcset|poster)="([^"]*)"/g)) {
        loaded.push(url);
      }
    }
    t.notRegex(html, /<style|\sstyle="|<script(?![^>]*\ssrc=)/, page);
  }
  for (const sheet of globSync("**/*.css", { cwd: folder })) {
    const css = readFileSync(join(folder, sheet), "utf8");
    for (const [, url = ""] of css.matchAll(/(?:url\(|@import)\s*["']?([^"')]+)/g))
      loaded.push(url);
  }
  t.true(loaded.some((url) => url.endsWith("search.js")));
  t.true(loaded.some((url) => url.endsWith(".png")));
  t.deepEqual(
    loaded.filter((url) => /^(?:(?!data:)[a-z]+:|\/)/i.test(url)),
    [],
  );
});

test.serial(
  "every link of a page leads to a file of the site and, with an anchor, to an element of it",
  (t) => {
    const { folder } = t.context;
    const pages = new Map(
      htmlOf(folder).map((page) => [page, readFileSync(join(folder, page), "utf8")] as const),
    );
    const dead: string[] = [];
    let seen = 0;
    for (const [page, html] of pages) {
      for (const [, escaped = ""] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
        const link = unescaped(escaped);
        if (/^(?:https?|mailto|data):/.test(link)) continue;
        seen += 1;
        const [path = "", anchor] = link.split("#");
        const file = path === "" ? page : fileAt(page, path);
        const hasAnchor = anchor === undefined || pages.get(file)?.includes(` id="${anchor}"`);
        if (!existsSync(join(folder, file)) || hasAnchor !== true) dead.push(`${page}: ${link}`);
      }
    }
    t.deepEqual(dead, []);
    t.true(seen > 5000);
  },
);

test.serial("the examples are shown as they are run by the tests", (t) => {
  const examples = globSync("examples/**/*.ts", { cwd: CHECKOUT });
  t.true(examples.length > 5);
  for (const example of examples) {
    const html = readFileSync(join(t.context.folder, `${example}.html`), "utf8");
    const [, code = ""] = /<pre[^>]*><code[^>]*>([^]*?)<\/code>/.exec(html) ?? [];
    const shown = unescaped(code.replaceAll(/<[^>]+>/g, ""));
    t.is(shown, readFileSync(join(CHECKOUT, example), "utf8").trimEnd(), example);
  }
});

test.serial(
  "llms.txt names every page once, by its title, and what it links to is Markdown that is there",
  async (t) => {
    const { folder, pages, sections } = t.context;
    const text = await readFile(join(folder, "llms.txt"), "utf8");
    // The format: a title, a summary, and lists of links below headings of the second order.
    t.regex(text, /^# zooid\n\n> .+\n\n## /);
    t.is(text.match(/^# /gm)?.length, 1);
    const named = [...text.matchAll(/^- \[(.+?)\]\(([^)]+)\)/gm)];
    const expected = pages.map(({ title, url }) => `${title} ${url}.md`);
    t.deepEqual(named.map(([, title, url]) => `${title} ${url}`).toSorted(), expected.toSorted());
    const full = await readFile(join(folder, "llms-full.txt"), "utf8");
    for (const { isOptional, parts } of sections) {
      for (const { source, url } of parts.flatMap((part) => part.pages)) {
        const markdown = await readFile(join(folder, `${url}.md`), "utf8");
        t.regex(markdown, /^# /m, source);
        t.is(full.includes(markdown.trim()), isOptional !== true, source);
      }
    }
  },
);

test.serial("the Markdown of a page links to the Markdown of others", async (t) => {
  const { folder } = t.context;
  const lock = await readFile(join(folder, "client/recipes/lock.html.md"), "utf8");
  t.true(lock.includes("](../../examples/recipes/lock.ts.html.md)"));
  t.true(existsSync(join(folder, "examples/recipes/lock.ts.html.md")));
});

test.serial(
  "a link to nothing, an anchor that is not there, and markup outside of code fail the build",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-site-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const text =
      "# Planted\n\n[a](nowhere.md) [b](#nothing) [c](#planted) <key>\n\n`<key>` {{ 1 + 1 }}\n";
    const page = pageOf("docs/planted.md", text);
    const error = await t.throwsAsync(buildSite(folder, [page]));
    t.deepEqual(error?.message.split("\n"), [
      "docs/planted.md: nothing is at nowhere.md",
      "docs/planted.md: markup outside of code: <key>",
      "docs/planted.md: docs/planted.md has no heading #nothing",
    ]);
    t.true((await readFile(join(folder, "planted.html"), "utf8")).includes("{{ 1 + 1 }}"));
  },
);

test.serial("a page that no section has a place for fails the build", (t) => {
  t.throws(() => place([pageOf("docs/elsewhere/page.md", "# Page\n")]), {
    message: "no section of site/sections.ts has a place for docs/elsewhere/page.md",
  });
});

test.serial("what is served is what is in the folder, to this machine", async (t) => {
  const address = addressOf(t.context.server);
  t.is(new URL(address).hostname, "127.0.0.1");
  const found = await fetch(`${address}client/?from=here`);
  t.is(found.headers.get("content-type"), "text/html; charset=utf-8");
  t.true((await found.text()).includes("<h1"));
  for (const path of ["nothing.html", "..%2f..%2f..%2f..%2fetc%2fpasswd", "client", "%"]) {
    t.is((await fetch(address + path)).status, 404, path);
  }
});

test.serial("a word is searched for and its page is opened, in light and in dark", async (t) => {
  const { browser, server } = t.context;
  const tab = await Tab.open(browser, addressOf(server));
  await tab.page.locator("#search input").fill("ephemeral");
  await tab.sees("results for ephemeral");
  t.deepEqual(await tab.barriers("front"), []);
  const hit = tab.page.locator("#search .pagefind-ui__result-link");
  await Promise.all([tab.page.waitForNavigation(), hit.click()]);
  t.not(await tab.evaluate("location.pathname"), "/");
  t.regex(String(await tab.evaluate("document.querySelector('main').innerText")), /ephemeral/i);
  // Tables, code, and diagrams, which are drawn from their text.
  await tab.page.goto(`${addressOf(server)}internals/architecture.html`);
  await tab.page.waitForFunction("document.querySelectorAll('figure > svg').length === 2");
  t.false((await tab.text()).includes("sequenceDiagram"));
  t.deepEqual(await tab.barriers("inner"), []);
  t.deepEqual(tab.problems, []);
});

/** The simulator's page with a run that was asked for in its address. */
async function openRun(browser: Browser, server: Server, query: string): Promise<Tab> {
  return Tab.open(browser, `${addressOf(server)}simulator.html?${query}`);
}

/** The moment that is looked at, as the slider has it. */
async function momentOf(tab: Tab): Promise<number> {
  return Number(await tab.evaluate("document.querySelector('[type=range]').value"));
}

test.serial(
  "the page of the simulator runs seeds as Node does, and has each moment of them",
  async (t) => {
    const { browser, server } = t.context;
    const tab = await openRun(browser, server, "seed=1");
    await tab.sees("Seed 1 holds.");
    t.true((await tab.text()).includes(`${simulate(1).hash}, after`));
    t.is(await momentOf(tab), 0);
    // From event to event, in the list and on the slider.
    await tab.page.focus("[type=range]");
    await tab.page.keyboard.press("ArrowRight");
    const first = await momentOf(tab);
    await tab.page.keyboard.press("ArrowRight");
    const second = await momentOf(tab);
    t.true(first > 0 && second > first, `${first} ${second}`);
    await tab.page.keyboard.press("ArrowLeft");
    t.is(await momentOf(tab), first);
    await tab.page.keyboard.press("Space");
    await until(async () => (await momentOf(tab)) > first, "it plays");
    await tab.page.keyboard.press("End");
    t.regex(String(await tab.evaluate("document.querySelector('tbody').innerText")), /\bleads\b/);
    t.deepEqual(await tab.barriers("simulator"), []);
    // Another seed, and a plan with a purpose.
    await tab.fill("Seed", "5");
    await tab.page.locator("select").fill("zookeepers");
    await tab.click("button", "Run");
    await tab.sees("Seed 5 holds.");
    t.true((await tab.text()).includes(`${simulate(5, { directed: "zookeepers" }).hash}, after`));
    await until(
      async () =>
        String(await tab.evaluate("location.search")).startsWith("?seed=5&plan=zookeepers"),
      "the address is that of the run",
    );
    // A search that would go on for long is stopped, and what was shown before is shown again.
    await tab.click("button", "Run on until a seed fails");
    await tab.sees("before it held");
    await tab.click("button", "Stop");
    t.regex(await tab.text(), /^(?!.*Running)[^]*Seed 5 holds\./);
    await tab.fill("Seed", "0");
    await tab.sees("A seed is a whole number from 1");
    t.deepEqual(tab.problems, []);
  },
);

test.serial(
  "a planted mistake fails a seed on the page of the simulator as it does in Node, and the violation is what is looked at",
  async (t) => {
    const { browser, server } = t.context;
    const mistake = "quorum-off-by-one";
    const fate = await runMutant(mistake, 20);
    if (fate.kind !== "caught") throw new Error(JSON.stringify(fate));
    const tab = await openRun(browser, server, `seed=1&mistake=${mistake}`);
    await tab.sees(fate.seed === 1 ? "Seed 1 fails." : "Seed 1 holds.");
    await tab.click("button", "Run on until a seed fails");
    await tab.sees(`Seed ${fate.seed} fails.`);
    await tab.sees(`Violated: ${fate.violation.split("\n")[0]}`);
    const last = "document.querySelector('.events li[aria-current]').innerText";
    t.regex(String(await tab.evaluate(last)), /violation/);
    t.deepEqual(tab.problems, []);
  },
);
