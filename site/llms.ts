/** The site for language models, as https://llmstxt.org has it: a list of all pages, all of them in one file, and each page as Markdown. */
import type { Links } from "./markdown.ts";
import type { Page, PlacedSection } from "./pages.ts";

const LINK = /(\]\()([^)\s]+)(?=\))/g;

/** Where a page's Markdown is. */
export function markdownUrl({ url }: Page): string {
  return `${url}.md`;
}

/** The Markdown of a page, whose links lead to the Markdown of others. What stands in code stays. */
export function markdownOf({ source, text }: Page, links: Links): string {
  return text
    .split(/(^```[^]*?^```)/m)
    .map((part) =>
      part.startsWith("```")
        ? part
        : part.replaceAll(LINK, (_, before: string, href: string) => {
            return before + links.resolve(source, href, ".md");
          }),
    )
    .join("");
}

/** `llms.txt`: every page once. What may be left out comes last, under the name that the format has for it. */
export function llmsText(
  name: string,
  summary: string,
  sections: readonly PlacedSection[],
): string {
  const always = sections.filter(({ isOptional }) => isOptional !== true);
  const optional = sections.filter(({ isOptional }) => isOptional === true);
  const blocks = [
    ...always.map((section) => [`## ${section.title}`, section.summary, list([section])]),
    ...(optional.length === 0 ? [] : [["## Optional", list(optional)]]),
  ];
  return [`# ${name}`, `> ${summary}`, ...blocks.flat()].join("\n\n").concat("\n");
}

function list(sections: readonly PlacedSection[]): string {
  return pagesOf(sections)
    .map((page) => {
      const note = page.description === "" ? "" : `: ${page.description}`;
      return `- [${page.title}](${markdownUrl(page)})${note}`;
    })
    .join("\n");
}

/** `llms-full.txt`: the pages themselves, in the same order, without the optional ones. */
export function llmsFullText(sections: readonly PlacedSection[], links: Links): string {
  const pages = pagesOf(sections.filter(({ isOptional }) => isOptional !== true));
  return pages
    .map((page) => `<!-- ${page.source} -->\n\n${markdownOf(page, links).trim()}\n`)
    .join("\n");
}

function pagesOf(sections: readonly PlacedSection[]): readonly Page[] {
  return sections.flatMap(({ parts }) => parts.flatMap(({ pages }) => pages));
}
