/**
 * How the site's Markdown differs from Eleventy's: links lead to the site's pages, headings have the anchors that GitHub gives them, and what
 * leads nowhere is a problem. Tables and code can be scrolled with the keyboard.
 */
import GithubSlugger from "github-slugger";
import { isOutside, isPicture, type Page, REFERENCE, targetOf } from "./pages.ts";

/** As much of markdown-it as is used here. */
export type Token = {
  type: string;
  tag: string;
  content: string;
  attrs: [name: string, value: string][] | null;
  readonly children: Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
};
type State = { tokens: Token[]; readonly env: { readonly source: string } };
type Rule = (...given: readonly unknown[]) => string;
export type MarkdownIt = {
  enable(rule: string): void;
  readonly core: { readonly ruler: { push(name: string, rule: (state: State) => void): void } };
  readonly renderer: { readonly rules: Record<string, Rule | undefined> };
};

export type Heading = { readonly id: string; readonly text: string; readonly depth: number };
type Anchored = { readonly from: string; readonly to: string; readonly anchor: string };

/** Folders are linked to as such where they have an index. */
const INDEX = "/README.md";

export class Links {
  /** Pictures that are shown: from the project's root. */
  readonly pictures: Set<string> = new Set<string>();
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #headings = new Map<string, readonly Heading[]>();
  readonly #anchored: Anchored[] = [];
  readonly #problems: string[] = [];

  constructor(pages: readonly Page[]) {
    this.#pages = new Map(pages.map((page) => [page.source, page]));
  }

  /** What is wrong with the pages that were rendered, a line each. */
  problems(): readonly string[] {
    const missing = this.#anchored.filter(
      ({ to, anchor }) => !this.headings(to).some(({ id }) => id === anchor),
    );
    return [
      ...this.#problems,
      ...missing.map(({ from, to, anchor }) => `${from}: ${to} has no heading #${anchor}`),
    ];
  }

  /** The headings of a page that was rendered. */
  headings(source: string): readonly Heading[] {
    return this.#headings.get(source) ?? [];
  }

  /** Teaches the parser. */
  amend(md: MarkdownIt): void {
    // Eleventy has switched blocks of code by indentation off.
    md.enable("code");
    md.core.ruler.push("site", (state) => {
      const { source } = state.env;
      state.tokens = withoutEmptyHeads(state.tokens);
      this.#headings.set(source, anchor(state.tokens));
      for (const token of state.tokens.flatMap((each) => [each, ...(each.children ?? [])])) {
        this.#visit(source, token);
      }
    });
    md.renderer.rules["table_open"] = () => '<div class="wide" tabindex="0"><table>';
    md.renderer.rules["table_close"] = () => "</table></div>";
    for (const name of ["fence", "code_block"]) {
      const rule = md.renderer.rules[name];
      if (rule === undefined) throw new Error(`markdown-it does not render ${name}`);
      md.renderer.rules[name] = (...given) => rule(...given).replace("<pre", '<pre tabindex="0"');
    }
  }

  #visit(source: string, token: Token): void {
    const name = token.type === "image" ? "src" : "href";
    const href = token.attrGet(name);
    if (href !== null) token.attrSet(name, this.resolve(source, href));
    // Pages have no styles of their own: their policy forbids it.
    const style = token.attrGet("style");
    if (style !== null) {
      token.attrs = [["class", style.replace("text-align:", "")]];
    }
    const isMarkup = token.type === "html_block" || token.type === "html_inline";
    // The generator of the reference writes its tables so. Elsewhere it is text that nobody would see.
    if (isMarkup && !source.startsWith(`${REFERENCE}/`) && !token.content.startsWith("<!--")) {
      this.#problems.push(`${source}: markup outside of code: ${token.content.trim()}`);
    }
  }

  /** A link of a page as the page of the site has it, whose suffix may be another one. */
  resolve(source: string, href: string, suffix = ""): string {
    if (isOutside(href)) return href;
    const [path = "", fragment] = href.split("#");
    const target = path === "" ? source : targetOf(source, path).replace(/\/$/, "");
    const page = this.#pages.get(target) ?? this.#pages.get(target + INDEX);
    if (fragment !== undefined && page !== undefined) {
      this.#anchored.push({ from: source, to: page.source, anchor: fragment });
    }
    if (path === "") return href;
    const from = this.#pages.get(source)?.url ?? "";
    const after = fragment === undefined ? "" : `#${fragment}`;
    if (page !== undefined) return `${rootOf(from)}${page.url}${suffix}${after}`;
    if (isPicture(target)) {
      this.pictures.add(target);
      return `${rootOf(from)}${target.replace(/^docs\//, "")}`;
    }
    this.#problems.push(`${source}: nothing is at ${href}`);
    return href;
  }
}

/** From a page to the site's root: the site may be served from any folder of a host. */
export function rootOf(url: string): string {
  return "../".repeat(url.split("/").length - 1) || "./";
}

/** Gives each heading the anchor that GitHub gives it. */
function anchor(tokens: readonly Token[]): readonly Heading[] {
  const slugger = new GithubSlugger();
  return tokens.flatMap((token, index) => {
    if (token.type !== "heading_open") return [];
    const parts = tokens[index + 1]?.children ?? [];
    const text = parts.map(({ content }) => content).join("");
    const id = slugger.slug(text);
    token.attrSet("id", id);
    return [{ id, text, depth: Number(token.tag.slice(1)) }];
  });
}

/** GitHub wants a head for each table; one without a word in it says nothing to anybody, and a screen reader stumbles over it. */
function withoutEmptyHeads(tokens: readonly Token[]): Token[] {
  const kept: Token[] = [];
  let head: Token[] | undefined;
  for (const token of tokens) {
    if (token.type === "thead_open") head = [];
    (head ?? kept).push(token);
    if (token.type !== "thead_close" || head === undefined) continue;
    if (head.some(({ type, content }) => type === "inline" && content.trim() !== "")) {
      kept.push(...withoutEmptyHeaders(head));
    }
    head = undefined;
  }
  return kept;
}

function withoutEmptyHeaders(head: readonly Token[]): readonly Token[] {
  let isEmpty = false;
  for (const [index, token] of head.entries()) {
    if (token.type === "th_open") isEmpty = (head[index + 1]?.content ?? "").trim() === "";
    if (isEmpty && token.tag === "th") token.tag = "td";
  }
  return head;
}
