/** What the documentation says of the code in tables is so, and what an operator finds in a log is in the list of events. */
import { globSync, readFileSync } from "node:fs";
import test from "ava";
import { EVENTS } from "../../protocol/events.ts";
import { GENERATED, readDoc, withTable } from "./generated.ts";

const ROOT = new URL("../..", import.meta.url);

for (const table of GENERATED) {
  test(`the table of ${table.name} in ${table.file} is that of the code (npm run docs writes it)`, (t) => {
    const text = readDoc(table.file);
    t.is(text, withTable(text, table));
  });
}

/** In code that is no actor's, where the type of an event is text. */
const LOGGED = /\blog\(\s*"(?:debug|info|warn|error)",\s*"(\w+)"|\bevent: "(\w+)"/g;

test("every event that is logged is in the list of events", (t) => {
  const unknown: string[] = [];
  let seen = 0;
  for (const path of globSync("{runtime,server,cli}/**/*.ts", { cwd: ROOT })) {
    for (const [, logged, event] of readFileSync(new URL(path, ROOT), "utf8").matchAll(LOGGED)) {
      seen += 1;
      const name = logged ?? event ?? "";
      if (!(name in EVENTS)) unknown.push(`${path}: ${name}`);
    }
  }
  t.deepEqual(unknown, []);
  t.true(seen > 10);
});

/** Words of that form that are no events. */
const NO_EVENTS: ReadonlySet<string> = new Set(["badFrame"]);

test("what failures.md quotes of a log is in the list of events", (t) => {
  const quoted = readDoc("docs/operations/failures.md").matchAll(
    /`(?:[a-z][\w/-]* )?([a-z]+[A-Z]\w*)\b[^`]*`/g,
  );
  const names = new Set([...quoted].map(([, name]) => name ?? ""));
  t.true(names.size > 30);
  t.deepEqual(
    [...names].filter((name) => !(name in EVENTS) && !NO_EVENTS.has(name)),
    [],
  );
});
