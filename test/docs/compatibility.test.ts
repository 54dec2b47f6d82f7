/** The tables of compatibility leave nothing out, and name tests that there are. */
import { existsSync, globSync, readFileSync } from "node:fs";
import test from "ava";
import { Code } from "../../protocol/codes.ts";
import { OpCode } from "../../protocol/zookeeper/codes.ts";
import { WORDS } from "../../protocol/zookeeper/words.ts";
import { cell, codes, COMPATIBILITY, compatibilityRows } from "../support/compatibility.ts";

const ROOT = new URL("../..", import.meta.url);
const ROWS = compatibilityRows();
const SCRIPT = /`npm run ([\w:]+)`/g;
const SHOWN_BY = /`(test\/[^`]+\.ts)`: "([^"]+)"/g;

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

function chapter(name: string): typeof ROWS {
  return ROWS.filter((row) => row.chapter === name);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A title that is made of a template's text and values is found by its text. */
function templates(source: string): readonly RegExp[] {
  return [...source.matchAll(/`([^`\n]*\$\{[^`\n]*)`/g)].flatMap(([, text = ""]) => {
    const parts = text.split(/\$\{[^}]*\}/);
    if (parts.join("").trim().length < 10) return [];
    return [new RegExp(`^${parts.map(escaped).join(".+")}$`)];
  });
}

function isTitle(source: string, title: string): boolean {
  return source.includes(`"${title}"`) || templates(source).some((each) => each.test(title));
}

test("every row names a test that there is, or a script of package.json", (t) => {
  const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: object };
  const wrong: string[] = [];
  for (const row of ROWS) {
    const shown = [...cell(row, "shown by").matchAll(SHOWN_BY)];
    const named = [...cell(row, "shown by").matchAll(SCRIPT)].map(([, name = ""]) => name);
    for (const name of named) if (!Object.hasOwn(scripts, name)) wrong.push(`no script ${name}`);
    if (shown.length + named.length === 0)
      wrong.push(`no test: ${[...row.cells.values()].join(" | ")}`);
    for (const [, path = "", title = ""] of shown) {
      if (!existsSync(new URL(path, ROOT))) wrong.push(`no file ${path}`);
      else if (!isTitle(read(path), title)) wrong.push(`no test "${title}" in ${path}`);
    }
  }
  t.deepEqual(wrong, []);
  t.true(ROWS.length > 90);
});

test("every file of scenarios that a row names is played by a conformance test", (t) => {
  const players = globSync("test/conformance/*.test.ts", { cwd: ROOT }).map(read).join("\n");
  const named = ROWS.flatMap((row) => [...cell(row, "shown by").matchAll(SHOWN_BY)]);
  const scenarios = new Set(
    named.map(([, path = ""]) => path).filter((path) => path.includes("/scenarios/")),
  );
  t.true(scenarios.size > 5);
  t.deepEqual(
    [...scenarios].filter((path) => !players.includes(path.replace("test/conformance", "."))),
    [],
  );
});

for (const [name, all, column] of [
  ["operation", OpCode, "Operations"],
  ["error code", Code, "Error codes"],
] as const) {
  test(`every ${name} has a row`, (t) => {
    const numbers = new Set(chapter(column).flatMap(codes));
    t.deepEqual(
      Object.entries(all).filter(([, code]) => !numbers.has(code)),
      [],
    );
  });
}

test("every four-letter word has a row", (t) => {
  const words = new Set(chapter("Four-letter words").map((row) => cell(row, "word")));
  t.deepEqual(
    WORDS.filter((word) => !words.has(`\`${word}\``)),
    [],
  );
});

test("every intended difference that is tested has a row", (t) => {
  const named = chapter("Intended differences").map((row) => cell(row, "shown by"));
  const source = read("test/conformance/differences.test.ts");
  const titles = [...source.matchAll(/^test\(\s*"([^"]+)"/gm)].map(([, title = ""]) => title);
  t.true(titles.length > 5);
  t.deepEqual(
    titles.filter((title) => !named.some((cells) => cells.includes(title))),
    [],
  );
});

test("the README links to the tables", (t) => {
  t.true(read("README.md").includes(`(${COMPATIBILITY})`));
});
