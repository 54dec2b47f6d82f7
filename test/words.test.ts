/** Retired words and fragments stay out of names, comments and documentation. And the search finds what it should, and nothing else. */
import { globSync, readFileSync } from "node:fs";
import test from "ava";
import { commentsOf } from "./setup/scan.ts";
import { RETIRED_WORDS, type TextFile, wordProblems } from "./setup/words.ts";

const ROOT = new URL("..", import.meta.url);
const FOLDERS = [
  ...[
    "actors",
    "runtime",
    "client",
    "testing",
    "adapters",
    "dashboard",
    "packaging",
    "site",
    "protocol",
    "server",
    "cli",
    "bench",
    "test",
    "examples",
  ],
  "docs",
];

function filesOf(folder: string): readonly TextFile[] {
  const paths = globSync([folder, `${folder}/**/*.{ts,tsx,md}`], { cwd: ROOT }).filter(
    (path) => /\.(?:ts|tsx|md)$/.test(path) && !path.includes("/dist/"),
  );
  return paths.map((path) => ({ path, text: readFileSync(new URL(path, ROOT), "utf8") }));
}

function problemsOf(path: string, text: string): readonly string[] {
  return wordProblems([{ path, text }]);
}

for (const folder of [...FOLDERS, "README.md"]) {
  test(`${folder} has no retired word, and no sentence that begins with "Of"`, (t) => {
    t.deepEqual(wordProblems(filesOf(folder)), []);
  });
}

test("seeing no file is a problem", (t) => {
  t.deepEqual(wordProblems([]), ["no file was seen"]);
});

/** One violation of each entry of the list, in its order: where, and what is written there. */
const PLANTED: readonly (readonly [path: string, text: string])[] = [
  ["actors/a.ts", "const ownRoom = roomLow;"],
  ["test/sim/a.ts", "let life = 1;"],
  ["actors/log/a.ts", "const nextMark = 1;"],
  ["docs/a.md", "It sends a progress mark."],
  ["actors/a.ts", 'effects.push({ kind: "partStored" });'],
  ["runtime/a.ts", "// A part of a message was lost."],
  ["actors/a.ts", "const figures = 1;"],
  ["actors/a.ts", "const isUntold = toldAtMs > 0;"],
  ["client/a.ts", 'switch (kind) { case "heard": }'],
  ["actors/a.ts", "/** It does not count by its word. */"],
  ["actors/gateway/a.ts", "state.held.clear();"],
  ["actors/tree/a.ts", "class Nodes {}"],
  ["actors/a.ts", "emit({ kind: applied$ });"],
  ["actors/log-sync/vote.ts", "const x = 1;"],
  ["actors/log/changes.ts", "const x = 1;"],
  ["runtime/mailbox.ts", "const x = 1;"],
  ["actors/a.ts", "/** Starts anew. */"],
  ["docs/a.md", "A promise that cannot be had."],
];

test("a planted use of each retired word is found, and named with the word to use instead", (t) => {
  t.is(PLANTED.length, RETIRED_WORDS.length);
  for (const [index, { meant, instead }] of RETIRED_WORDS.entries()) {
    const [path, text] = PLANTED[index] ?? ["", ""];
    const problems = problemsOf(path, text);
    t.true(problems.length > 0, text);
    for (const problem of problems) t.true(problem.endsWith(`${meant}: ${instead}`), problem);
  }
});

test("a sentence that begins with Of is found, wherever it begins", (t) => {
  const fragments = [
    "/** Of the file. */",
    "// Of the file.",
    "/**\n * The length. Of the\n * whole file.\n */",
    "// The length.\n// Of the whole file.",
    "const a = 1; // Of the file.",
  ];
  for (const text of fragments) {
    t.deepEqual(
      problemsOf("cli/a.ts", text).map((problem) => problem.replace(/:\d+:/, ":")),
      ['cli/a.ts: a sentence begins with "Of"'],
      text,
    );
  }
  t.is(problemsOf("docs/a.md", "It is read. Of the file\nnothing else.").length, 1);
});

test("a retired word in another sense, in a string or in a longer word is none", (t) => {
  const harmless: readonly (readonly [path: string, text: string])[] = [
    ["actors/a.ts", "const groom = mushroomMax;"],
    ["actors/a.ts", "/** The header leaves room for a length. */"],
    ["actors/a.ts", 'const text = "no room on the disk";'],
    ["actors/a.ts", "/** The session lives on; a lifetime is long. */"],
    ["protocol/jute.ts", "const mark = 1;"],
    ["actors/a.ts", "const parts = text.split(part);"],
    ["actors/a.ts", "/** It is part of the log, and answers four-letter words. */"],
    ["bench/a.ts", "const figures = 1;"],
    ["test/a.ts", "const sent = told(effects);"],
    ["actors/a.ts", "/** The length of the file is Of no interest. */"],
    ["docs/a.md", "The code `const life = 1` stays.\n\n```\n# Of the disk: no room\n```\n"],
  ];
  for (const [path, text] of harmless) t.deepEqual(problemsOf(path, text), [], text);
});

test("the list itself may name what it retires", (t) => {
  const [begin, end] = [
    "<!-- retired words: made by npm run docs -->",
    "<!-- end of retired words -->",
  ];
  t.deepEqual(problemsOf("docs/a.md", `${begin}\n| anew |\n${end}\n`), []);
  t.is(problemsOf("docs/a.md", `| anew |\n${begin}\n${end}\n`).length, 1);
});

test("comments are read with their lines, and line comments that follow each other as one", (t) => {
  const source =
    '/** One.\n * Two. */\nconst a = "// no"; // three\n\n// four\n// five\nconst b = 1;\n';
  t.deepEqual(commentsOf(source), [
    { text: "One. Two.", line: 1 },
    { text: "three four five", line: 3 },
  ]);
});
