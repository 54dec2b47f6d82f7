/** Every key that ZooKeeper knows has a row in the table, and the file is read as its row says. */
import { readFileSync } from "node:fs";
import test, { type ExecutionContext } from "ava";
import type { Row } from "../../../server/config/key-rows.ts";
import { fileKeysOf } from "../../../server/config/key.ts";
import { KEYS } from "../../../server/config/keys.ts";
import { readZooCfg, type ZooCfg } from "../../../server/config/zoo-cfg.ts";
import {
  AUTOCREATE_KEY,
  CHAPTERS,
  rowOf,
  ZOOKEEPER_KEYS,
} from "../../../server/config/zookeeper-keys.ts";

const FIXTURE = new URL("../../fixtures/zookeeper-keys.txt", import.meta.url);
const KNOWN: readonly string[] = readFileSync(FIXTURE, "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const ROWS: readonly Row[] = CHAPTERS.flatMap((chapter) => chapter.rows);

/** Some values ask for something, some for nothing, each for other keys. */
const VALUES = ["true", "false", "yes", "no", "", "0", "3", "7", "99999999", "participant", "/x"];

function read(key: string, value: string): ZooCfg {
  return readZooCfg(`${key}=${value}`, "zoo.cfg");
}

/** The key as somebody would write it. */
function written(key: string): string {
  return key.replace(/\*$/, "1");
}

test("every key of ZooKeeper 3.8 and 3.9 has a row", (t) => {
  t.true(KNOWN.length > 280);
  t.deepEqual(
    KNOWN.filter((key) => rowOf(key) === undefined),
    [],
  );
});

test("the table has no key that ZooKeeper does not know, and none twice", (t) => {
  t.deepEqual(
    ZOOKEEPER_KEYS.filter((key) => !KNOWN.includes(key)),
    [],
  );
  const keys = ROWS.flatMap((row) => row.keys);
  t.deepEqual(
    keys.filter((key, index) => keys.indexOf(key) !== index),
    [],
  );
});

test("a key that works is the file's key of its setting, and no setting of ZooKeeper's is missing in the table", (t) => {
  const working = ROWS.flatMap(({ keys, treatment }) =>
    treatment.kind === "works" && "field" in treatment
      ? keys.map((key) => [key, treatment.field] as const)
      : [],
  );
  for (const [key, field] of working.filter(([each]) => each !== "server.*")) {
    t.true(
      KEYS.some((each) => each.field === field && fileKeysOf(each).includes(key)),
      key,
    );
  }
  const own = KEYS.flatMap(fileKeysOf).filter((key) => !key.startsWith("zooid."));
  t.deepEqual(
    own.filter((key) => rowOf(key) === undefined),
    [],
  );
});

function isReadAsItsRowSays(t: ExecutionContext, key: string, row: Row): void {
  const { treatment, harmless } = row;
  for (const value of VALUES) {
    const line = `${key}=${value}`;
    const cfg = read(key, value);
    t.true(cfg.hasKnownKey, line);
    const counts = [cfg.problems.length, cfg.warnings.length, cfg.idleKeys.length];
    if (harmless?.holds(value) === true) {
      t.deepEqual(counts, [0, 0, 1], line);
      t.is(cfg.idleKeys[0]?.because, harmless.because, line);
    } else if (treatment.kind === "refused") {
      t.deepEqual(counts, [1, 0, 0], line);
      const { rule, hint } = treatment;
      t.like(cfg.problems[0], { field: key, value, source: "zoo.cfg:1", rule, hint }, line);
    } else if (treatment.kind === "missed") {
      t.deepEqual(counts, [0, 1, 0], line);
      const warning = `zoo.cfg:1: ${key} has no effect: ${treatment.because}; ${treatment.instead}`;
      t.deepEqual(cfg.warnings, [warning], line);
    } else if (treatment.kind === "idle") {
      t.deepEqual(counts, [0, 0, 1], line);
      t.deepEqual(cfg.idleKeys, [{ key, source: "zoo.cfg:1", because: treatment.because }], line);
    }
  }
}

for (const row of ROWS) {
  const { keys, treatment } = row;
  if (treatment.kind === "works") continue;
  test(`${keys[0]} and its like (${keys.length}) are ${treatment.kind}, with and without the prefix of a Java property`, (t) => {
    for (const key of keys.map(written)) {
      if (treatment.kind !== "checked") {
        isReadAsItsRowSays(t, key, row);
        isReadAsItsRowSays(t, `zookeeper.${key}`, row);
        continue;
      }
      const cfg = read(key, "4");
      t.is(cfg.settings.size, 1, key);
      t.deepEqual(cfg.idleKeys, [{ key, source: "zoo.cfg:1", because: treatment.because }]);
    }
  });
}

for (const { keys, treatment } of ROWS) {
  if (treatment.kind !== "works" || !("field" in treatment)) continue;
  test(`${keys.join(" and ")} works`, (t) => {
    for (const key of keys) {
      const cfg = read(written(key), key === "server.*" ? "host:2888:3888" : "7");
      t.true(cfg.settings.has(treatment.field));
      t.deepEqual([cfg.problems, cfg.warnings, cfg.idleKeys], [[], [], []]);
    }
  });
}

test("every text of the table says something, and ends as the middle of a sentence does", (t) => {
  for (const { keys, treatment, harmless } of ROWS) {
    const texts = Object.values(treatment).concat(harmless?.because ?? [], harmless?.text ?? []);
    for (const text of texts) {
      t.true(text.length > 0 && !text.endsWith(".") && !text.includes("|"), keys[0]);
    }
  }
});

test("a key that works has no effect with the prefix of a Java property, as in ZooKeeper, and says how it is written", (t) => {
  const cfg = read("zookeeper.maxCnxns", "5");
  t.is(cfg.settings.size, 0);
  t.deepEqual(cfg.warnings, [
    "zoo.cfg:1: zookeeper.maxCnxns has no effect in a file; did you mean maxCnxns?",
  ]);
});

test("an unknown key of a family that protects something is refused like the family", (t) => {
  t.regex(read("ssl.quorum.somethingNew", "x").problems[0]?.rule ?? "", /between the servers/);
  t.regex(read("ssl.somethingNew", "x").problems[0]?.rule ?? "", /TLS/);
});

test("datadir.autocreate says whether the data folder must be there", (t) => {
  t.is(read(AUTOCREATE_KEY, "false").noAutocreate?.source, "zoo.cfg:1");
  const allowed = read(AUTOCREATE_KEY, "True");
  t.is(allowed.noAutocreate, undefined);
  t.is(allowed.idleKeys.length, 1);
});

test("ssl.crl asks for lists of withdrawn certificates", (t) => {
  t.is(read("ssl.crl", "True").crl?.source, "zoo.cfg:1");
  for (const value of ["false", ""]) {
    const { crl, idleKeys } = read("ssl.crl", value);
    t.deepEqual([crl, idleKeys.length], [undefined, 1]);
  }
  t.is(read("ssl.crl", "yes").problems[0]?.field, "ssl.crl");
});
