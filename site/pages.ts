/** What the site shows: Markdown as it is in the repository, the examples, and the files that pages link to. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, matchesGlob, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { SECTIONS, type Section } from "./sections.ts";

export const CHECKOUT: string = fileURLToPath(new URL("..", import.meta.url));

export type Page = {
  /** From the project's root, with slashes. The index of a folder without a README is called as if it were one. */
  readonly source: string;
  /** From the site's root. */
  readonly url: string;
  readonly title: string;
  /** How the page begins, as plain text; may be empty. */
  readonly description: string;
  /** Markdown. A page of a file has it as a block of code. */
  readonly text: string;
};

/** A section with the pages that are there, each page in one part. */
export type PlacedSection = Omit<Section, "parts"> & {
  readonly parts: readonly { readonly title?: string; readonly pages: readonly Page[] }[];
};

/** Where the reference of the package is, if `npm run docs:api` has made it. */
export const REFERENCE = "docs/client/api";
/** Folders that pages link to as such. */
const INDEXED: Readonly<Record<string, string>> = {
  "docs/internals": "Internals",
  "docs/decisions": "Decisions",
};
/** The target of a link or picture, without its anchor. What stands in code is found, too, and does no harm. */
const LINK = /\]\(([^)\s#]+)/g;
const OUTSIDE = /^[a-z][a-z+.-]*:/i;
const LANGUAGES: Readonly<Record<string, string>> = {
  ".ts": "ts",
  ".yaml": "yaml",
  ".service": "ini",
};

export function isOutside(href: string): boolean {
  return OUTSIDE.test(href);
}

/** The file, or folder, that a relative link in a page means; from the project's root. */
export function targetOf(source: string, href: string): string {
  return posix.normalize(posix.join(posix.dirname(source), decodeURIComponent(href)));
}

/** Every page, in the order in which it is read. */
export function readPages(withReference: boolean): readonly Page[] {
  const markdown = globSync(["*.md", "bench/README.md", "docs/**/*.md"], { cwd: CHECKOUT })
    .filter((path) => path !== "THIRD-PARTY-LICENCES.md")
    .filter((path) => withReference || !path.startsWith(`${REFERENCE}/`))
    // A list of one package: the name of the package is all that it has.
    .filter((path) => !(path.startsWith(REFERENCE) && basename(path) === "index.md"))
    .toSorted()
    .map(markdownPage);
  const linked = new Set(markdown.flatMap(linkedFiles));
  const files = [...globSync("examples/**/*.ts", { cwd: CHECKOUT }).toSorted(), ...linked];
  return [
    ...markdown,
    ...Object.keys(INDEXED).map((folder) => indexPage(folder, markdown)),
    ...[...new Set(files)].filter((path) => !isPicture(path)).map(filePage),
  ];
}

export function isPicture(path: string): boolean {
  return path.endsWith(".png");
}

function linkedFiles({ source, text }: Page): readonly string[] {
  return [...text.matchAll(LINK)].flatMap(([, href = ""]) => {
    if (isOutside(href)) return [];
    const path = join(CHECKOUT, targetOf(source, href));
    const isFile = existsSync(path) && statSync(path).isFile() && extname(path) !== ".md";
    return isFile ? [targetOf(source, href)] : [];
  });
}

function markdownPage(source: string): Page {
  const text = readFileSync(join(CHECKOUT, source), "utf8");
  if (!source.startsWith(`${REFERENCE}/`)) return pageOf(source, text);
  // As the generator writes it, the page begins with the way to it, and its title is a heading of the second order.
  const titled = text.slice(text.indexOf("\n## ") + 1).replace("## ", "# ");
  const entry = source.split("/")[3] ?? "";
  return pageOf(source, titled.replace("# zooid package", `# zooid/${entry}`));
}

function indexPage(folder: string, pages: readonly Page[]): Page {
  const inside = pages.filter(({ source }) => dirname(source) === folder);
  const lines = inside.map(({ source, title }) => `- [${title}](${basename(source)})`);
  return pageOf(`${folder}/README.md`, `# ${INDEXED[folder]}\n\n${lines.join("\n")}\n`);
}

function filePage(source: string): Page {
  const text = readFileSync(join(CHECKOUT, source), "utf8");
  const language = LANGUAGES[extname(source)] ?? "text";
  return {
    ...{ source, url: `${source}.html`, title: source, description: openingComment(text) },
    text: `# \`${source}\`\n\n\`\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\`\n`,
  };
}

/** A page of Markdown. */
export function pageOf(source: string, text: string): Page {
  const [, heading = basename(source)] = /^# (.+)$/m.exec(text) ?? [];
  const path = source.replace(/^docs\//, "").replace(/\.md$/, "");
  const url = `${path.replace(/(^|\/)README$/, "$1index")}.html`;
  return { source, url, title: plain(heading), description: openingSentence(text), text };
}

/** The first sentence of the first paragraph below the title. */
function openingSentence(text: string): string {
  const prose = text.replaceAll(/^```[^]*?^```|^ {4}.*|<!--[^]*?-->/gm, "");
  const paragraphs = prose.split(/\n\s*\n/).map((each) => each.trim());
  return firstSentence(plain(paragraphs.find((each) => /^[A-Za-z`*[]/.test(each)) ?? ""));
}

function openingComment(text: string): string {
  const comment = /^\/\*\*([^]*?)(?:\*\/|\n \*\n)/.exec(text)?.[1] ?? "";
  return firstSentence(plain(comment.replaceAll(/^\s*\* ?/gm, "")));
}

function firstSentence(text: string): string {
  return /^.+?[.:](?= |$)/.exec(text)?.[0].replace(/:$/, ".") ?? text;
}

/** Markdown without its marks. */
function plain(markdown: string): string {
  return markdown
    .replace(/^(?:\*\*)?Context\.(?:\*\*)?\s/, "")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[`*]|<!--[^]*?-->/g, "")
    .replaceAll(/\\(.)/g, "$1")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Every page in the part of a section that is its place. Throws for a page that has none. */
export function place(pages: readonly Page[]): readonly PlacedSection[] {
  const named = new Set(
    SECTIONS.flatMap(({ parts }) => parts.flatMap((part) => part.pages)).filter(
      (each) => !each.includes("*"),
    ),
  );
  const left = new Map(pages.map((page) => [page.source, page]));
  const take = (pattern: string): readonly Page[] => {
    const found = [...left.values()].filter(({ source }) =>
      named.has(source) ? source === pattern : matchesGlob(source, pattern),
    );
    for (const { source } of found) left.delete(source);
    return found;
  };
  const sections = SECTIONS.map((section) => ({
    ...section,
    parts: section.parts
      .map((part) => ({ ...part, pages: part.pages.flatMap(take) }))
      .filter((part) => part.pages.length > 0),
  }));
  if (left.size > 0) {
    const names = [...left.keys()].join(", ");
    throw new Error(`no section of site/sections.ts has a place for ${names}`);
  }
  return sections.filter(({ parts }) => parts.length > 0);
}
