/** Inputs that once failed, each by its name: `TARGET.what-was-wrong.hex`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test from "ava";
import { TARGETS } from "../../fuzz/targets/all.ts";

const FOLDER = new URL("../../fixtures/fuzz/", import.meta.url);

const files = existsSync(FOLDER) ? readdirSync(FOLDER) : [];

for (const file of files.filter((name) => name.endsWith(".hex"))) {
  const [targetName = "", what = ""] = file.split(".");
  test(`${targetName}: ${what.replaceAll("-", " ")}`, (t) => {
    const target = TARGETS.find(({ name }) => name === targetName);
    if (target === undefined) return t.fail(`no target is called ${targetName}`);
    const text = readFileSync(new URL(file, FOLDER), "utf8").trim();
    t.notThrows(() => target.run(new Uint8Array(Buffer.from(text, "hex"))));
  });
}

for (const target of TARGETS) {
  test(`${target.name}: the inputs it begins with are as they should be`, (t) => {
    const seeds = target.seeds();
    t.true(seeds.length > 0);
    for (const bytes of seeds) t.notThrows(() => target.run(bytes));
  });
}
