/**
 * The words that the repository no longer uses, each for what it meant and with the word that took its place, and the search for
 * them. `docs/internals/glossary.md` shows the list; it is made from this file.
 */
import { commentsOf, namesOf } from "./scan.ts";

export type RetiredWord = {
  readonly word: string;
  /** What it stood for. In another sense it may be used. */
  readonly meant: string;
  readonly instead: string;
  /** Finds it among names: of the code, of the kinds of messages, and of files. */
  readonly names?: RegExp;
  /** Finds it in comments and in the documentation. */
  readonly prose?: RegExp;
  /** The beginnings of the paths where it is looked for. Default: everywhere. */
  readonly within?: readonly string[];
};

const NODE = ["actors/", "runtime/", "client/", "protocol/", "server/", "cli/"];
const NODE_AND_BENCH = [...NODE, "bench/"];
const LOG = ["actors/log/", "cli/inspect/", "test/unit/log/"];
const GATEWAYS = ["actors/gateway/", "test/unit/gateway/"];
const TREE = ["actors/tree/", "test/unit/tree/"];

/** A word within a name: `room` in `roomLow`, `hasRoom` and `ROOM_MAX`, not in `groom`. */
function inNames(...words: readonly string[]): RegExp {
  const forms = words.flatMap((word) => {
    const capital = word.charAt(0).toUpperCase() + word.slice(1);
    return [
      `(?<![A-Za-z])${word}(?![a-z])`,
      `(?<![A-Z])${capital}(?![a-z])`,
      `(?<![A-Z])${word.toUpperCase()}(?![A-Za-z])`,
    ];
  });
  return new RegExp(`[\\w$]*(?:${forms.join("|")})[\\w$]*`, "g");
}

export const RETIRED_WORDS: readonly RetiredWord[] = [
  {
    word: "room",
    meant: "free space on a disk, and which writes there is space for",
    instead: "disk space; write admission",
    names: inNames("room", "rooms"),
    prose:
      /\b(?:no|without|want of|finds?|found|little|has|had|have) room\b|\broom (?:is|was|comes|came|again|back)\b/gi,
  },
  {
    word: "life",
    meant: "one run of a process or lane",
    instead: "incarnation",
    names: inNames("life", "lives"),
    prose: /\blife(?:'s)?\b|\b(?:its|their|all|both|earlier|later|older|of) lives\b/gi,
  },
  {
    word: "mark",
    meant: "what stands before each write in a segment",
    instead: "write header",
    names: inNames("mark", "marks"),
    within: LOG,
  },
  {
    word: "mark",
    meant: "that a stream has come so far",
    instead: "progress",
    prose: /\bprogress`? marks?\b/gi,
  },
  {
    word: "part",
    meant: "a piece of a snapshot",
    instead: "chunk",
    names:
      /\b\w*(?:snapshot|store|drop|damaged|missing)Parts?\w*|\bparts?(?:Stored|Refused|Lost)\w*/gi,
    prose:
      /\bparts? of (?:a|the|its|another|this) snapshot|\bsnapshots? in parts\b|\bsnapshot's parts?\b/gi,
  },
  {
    word: "part",
    meant: "a piece of a message that is larger than NATS takes",
    instead: "fragment",
    prose: /\bparts? of (?:a|the) (?:NATS )?message\b|\b(?:messages?|answers?) in parts\b/gi,
  },
  {
    word: "figures",
    meant: "numbers about a node",
    instead: "metrics",
    names: inNames("figure", "figures"),
    within: [...NODE, "test/unit/admin/"],
  },
  {
    word: "told, untold",
    meant: "sent to another node or actor",
    instead: "sent, reported",
    names: inNames("told", "untold"),
    within: NODE_AND_BENCH,
  },
  {
    word: "heard",
    meant: "a message that came",
    instead: "received",
    names: /\b(?:heard|Heard|hearItem|HeardItem)\b/g,
    within: ["client/", "protocol/", "server/", "cli/", "bench/"],
  },
  {
    word: "word",
    meant: "a message, or what a node reports",
    instead: "message, report",
    names: /\b(?:own|last|late)Words?\b/gi,
    prose:
      /\b(?:its|their|his|whose|own|late|old|other's|leader's|peers'|by) word(?= \w|[.,;:]|$)|\bword of (?:who|the leader|peers|a peer)\b/gi,
  },
  {
    word: "held, waiting",
    meant: "answers that may not leave yet (each gateway had the other's word for it)",
    instead: "withheld",
    names: /(?<!\/)\bheld\b(?!\.ts)|\b(?:isHeld|heldBack)\b/g,
    within: GATEWAYS,
  },
  {
    word: "nodes",
    meant: "znodes of the tree",
    instead: "znodes",
    names: /\b(?:Nodes|nodes|(?:add|remove|save|put|get)Node)\b/g,
    within: TREE,
  },
  { word: "applied$", meant: "metrics of a tree", instead: "`treeMetrics`", names: /applied\$/g },
  {
    word: "vote.ts",
    meant: "the repair of a node that may not vote",
    instead: "`repair.ts`",
    names: /actors\/log-sync\/vote\.ts/g,
  },
  {
    word: "changes.ts",
    meant: "append, truncate and promise",
    instead: "`append.ts`, `truncate.ts`, `promise.ts`",
    names: /actors\/log\/changes\.ts/g,
  },
  {
    word: "mailbox.ts",
    meant: "a queue without a bound",
    instead: "`fifo.ts`",
    names: /runtime\/mailbox\.ts/g,
  },
  { word: "anew", meant: "once more", instead: "again", prose: /\banew\b/gi },
  {
    word: "cannot be had, in the name of, without end",
    meant: "not available; as; for ever",
    instead: "the plain word",
    prose: /\bcannot be had\b|\bcan be had\b|\bin the name of\b|\bwithout end\b/gi,
  },
];

/** A sentence that begins with "Of" says whose something is and leaves out what it is. */
const FRAGMENT = /(?:^|[.!?:;] )Of\b/g;

export type TextFile = {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
};

type Passage = { readonly text: string; readonly line: number };

/** Every retired word and every fragment in the files, one line each. */
export function wordProblems(files: readonly TextFile[]): readonly string[] {
  if (files.length === 0) return ["no file was seen"];
  return files.flatMap((file) => {
    const isCode = file.path.endsWith(".ts");
    const prose = isCode ? commentsOf(file.text) : paragraphsOf(file.text);
    const names = isCode ? [{ text: file.path, line: 0 }, ...linesOf(namesOf(file.text))] : [];
    return [...retiredIn(file.path, { names, prose }), ...fragmentsIn(file.path, prose)];
  });
}

function retiredIn(
  path: string,
  { names, prose }: { readonly names: readonly Passage[]; readonly prose: readonly Passage[] },
): readonly string[] {
  return RETIRED_WORDS.filter(
    ({ within }) => within?.some((start) => path.startsWith(start)) ?? true,
  ).flatMap((retired) => {
    const found = [...foundBy(retired.names, names), ...foundBy(retired.prose, prose)];
    return found.map(
      ({ text, line }) =>
        `${path}:${line}: "${text}" is retired for ${retired.meant}: ${retired.instead}`,
    );
  });
}

function fragmentsIn(path: string, prose: readonly Passage[]): readonly string[] {
  return foundBy(FRAGMENT, prose).map(({ line }) => `${path}:${line}: a sentence begins with "Of"`);
}

function foundBy(pattern: RegExp | undefined, passages: readonly Passage[]): readonly Passage[] {
  if (pattern === undefined) return [];
  return passages.flatMap(({ text, line }) =>
    [...text.matchAll(pattern)].map(([match]) => ({ text: match, line })),
  );
}

function linesOf(text: string): readonly Passage[] {
  return text.split("\n").map((line, index) => ({ text: line, line: index + 1 }));
}

const TABLE = /<!-- retired words: made by npm run docs -->[^]*?<!-- end of retired words -->/g;

/** The paragraphs of a Markdown text, without code, quotations and the list of retired words itself. */
function paragraphsOf(markdown: string): readonly Passage[] {
  const blank = (text: string): string => text.replaceAll(/[^\n]/g, " ");
  const prose = markdown
    .replaceAll(TABLE, blank)
    .replaceAll(/^```[^]*?^```/gm, blank)
    .replaceAll(/`[^`\n]*`/g, blank)
    .replaceAll(/"[^"\n]*"/g, blank);
  let line = 1;
  return prose.split(/\n(?=\n|[-*|\d#])/).map((paragraph) => {
    const passage = { text: paragraph.replaceAll(/\s+/g, " ").trim(), line };
    line += paragraph.split("\n").length;
    return passage;
  });
}
