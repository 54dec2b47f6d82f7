/** Every setting is documented: its field, its flag and its key in a file. */
import { readFileSync } from "node:fs";
import test from "ava";
import { KEYS } from "../../../server/config/keys.ts";
import { validate } from "../../../server/config/validate.ts";

const PAGE = new URL("../../../docs/operations/configuration.md", import.meta.url);

test("the table of keys names every field of the configuration exactly once", (t) => {
  const validation = validate(new Map(), { transport: "nats" });
  t.is(validation.kind, "valid");
  if (validation.kind === "invalid") return;
  t.deepEqual(
    KEYS.map((key) => key.field).toSorted(),
    Object.keys(validation.config).toSorted() as (typeof KEYS)[number]["field"][],
  );
});

test("the page on configuration names every flag and file key", (t) => {
  const page = readFileSync(PAGE, "utf8");
  for (const { flag, fileKey } of KEYS) {
    t.true(page.includes(`\`--${flag}\``), `--${flag}`);
    if (fileKey !== undefined) t.true(page.includes(`\`${fileKey}\``), fileKey);
  }
});
