/**
 * `npm run site`: the documentation as a site, in `site/dist/`. It is static, asks no other host for anything, and may be served from any
 * folder of any host.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Eleventy, { type Configuration } from "@11ty/eleventy";
import highlight from "@11ty/eleventy-plugin-syntaxhighlight";
import { close, createIndex } from "pagefind";
import { llmsFullText, llmsText, markdownOf, markdownUrl } from "./llms.ts";
import { type Heading, Links, type MarkdownIt, rootOf } from "./markdown.ts";
import { CHECKOUT, type Page, place, type PlacedSection, readPages } from "./pages.ts";
import { buildSimulator } from "./simulator/build.ts";

/** A page of the reference about a member of something whose own page lists it: in the search it would stand before what explains. */
const MEMBER = /\/zooid\.[^.]+\..+\.md$/;

/** The page that has the simulator in it. */
const SIMULATOR = "docs/simulator.md";

export const OUTPUT: string = join(CHECKOUT, "site/dist");

/** Builds into a folder, which is emptied first. Throws with every link that leads nowhere, and for a page without a place. */
export async function buildSite(
  output: string,
  pages: readonly Page[],
): Promise<readonly PlacedSection[]> {
  rmSync(output, { recursive: true, force: true });
  const sections = place(pages);
  const links = new Links(pages);
  const configure = (configuration: Configuration): void =>
    configureEleventy(configuration, pages, sections, links);
  const options = { quietMode: true, configPath: false, config: configure } as const;
  const eleventy = new Eleventy(join(CHECKOUT, "site/theme"), output, options);
  // What goes wrong is thrown.
  eleventy.disableLogger();
  const hasSimulator = pages.some(({ source }) => source === SIMULATOR);
  const bundled = hasSimulator ? buildSimulator(join(output, "simulator")) : undefined;
  await Promise.all([eleventy.write(), bundled]);
  for (const page of pages) write(output, markdownUrl(page), markdownOf(page, links));
  const { name, description } = manifest();
  write(output, "llms.txt", llmsText(name, description, sections));
  write(output, "llms-full.txt", llmsFullText(sections, links));
  for (const picture of links.pictures) {
    cpSync(join(CHECKOUT, picture), join(output, picture.replace(/^docs\//, "")));
  }
  const problems = links.problems();
  if (problems.length > 0) throw new Error([...new Set(problems)].join("\n"));
  await indexForSearch(output);
  return sections;
}

function configureEleventy(
  configuration: Configuration,
  pages: readonly Page[],
  sections: readonly PlacedSection[],
  links: Links,
): void {
  configuration.setUseGitIgnore(false);
  configuration.addPlugin(highlight);
  configuration.amendLibrary("md", (md: MarkdownIt) => links.amend(md));
  configuration.addGlobalData("sections", sections);
  configuration.addGlobalData("layout", "layout.njk");
  configuration.addFilter("headings", (source: string) => outline(links.headings(source)));
  configuration.addFilter("beforeFirstChapter", (content: string) => splitAtChapter(content)[0]);
  configuration.addFilter("fromFirstChapter", (content: string) => splitAtChapter(content)[1]);
  configuration.addPassthroughCopy({
    "site/theme/style.css": "style.css",
    "site/theme/search.js": "search.js",
    "site/theme/diagrams.js": "diagrams.js",
    "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js": "mermaid.js",
  });
  for (const page of pages) {
    const { source, url, title, description, text } = page;
    const section = sections.find(({ parts }) => parts.some((part) => part.pages.includes(page)));
    const data = { source, url, title, description, root: rootOf(url), section };
    const kind = {
      hasDiagrams: text.includes("```mermaid"),
      hasSimulator: source === SIMULATOR,
      isSearched: !MEMBER.test(source),
    };
    // Markdown alone: what looks like a template in a page is its text.
    const engine = { permalink: url, templateEngineOverride: "md" };
    configuration.addTemplate(`${source.replaceAll("/", "+")}.md`, text, {
      ...data,
      ...engine,
      ...kind,
    });
  }
}

/** What stands beside a page: its chapters, if there is more than one. */
function outline(headings: readonly Heading[]): readonly Heading[] {
  const chapters = headings.filter(({ depth }) => depth === 2);
  return chapters.length > 1 ? chapters : [];
}

function splitAtChapter(content: string): readonly [string, string] {
  const at = content.indexOf("<h2");
  return at < 0 ? [content, ""] : [content.slice(0, at), content.slice(at)];
}

async function indexForSearch(output: string): Promise<void> {
  const { index, errors } = await createIndex();
  if (index === undefined) throw new Error(errors.join("\n"));
  const added = await index.addDirectory({ path: output });
  const written = await index.writeFiles({ outputPath: join(output, "pagefind") });
  await close();
  const all = [...added.errors, ...written.errors];
  if (all.length > 0) throw new Error(all.join("\n"));
}

function manifest(): { readonly name: string; readonly description: string } {
  return JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as ReturnType<
    typeof manifest
  >;
}

function write(output: string, path: string, text: string): void {
  mkdirSync(dirname(join(output, path)), { recursive: true });
  writeFileSync(join(output, path), text);
}

if (process.argv[1] === import.meta.filename) {
  const pages = readPages(true);
  await buildSite(OUTPUT, pages);
  process.stdout.write(`${pages.length} pages in site/dist (npm run site:preview shows them)\n`);
}
