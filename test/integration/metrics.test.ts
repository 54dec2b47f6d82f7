/**
 * What three nodes tell of themselves, as `zooid ensemble` runs them: every metric that is documented is there, and so is every one that the board
 * and the alert rules in `ops/` name.
 */
import { readFileSync } from "node:fs";
import anyTest, { type TestFn } from "ava";
import { connect } from "../../client/connect.ts";
import { OWN_METRICS } from "../../server/admin/metrics/own.ts";
import { namesOf } from "../../server/admin/metrics/scrape.ts";
import { ZOOKEEPER_METRICS } from "../../server/admin/metrics/zookeeper.ts";
import {
  OPEN_TELEMETRY,
  readByExporter,
  readByOpenTelemetry,
  readByTelegraf,
} from "../conformance/collectors.ts";
import { askAdmin, samplesOf } from "../support/admin.ts";
import { fourLetters } from "../support/four-letters.ts";
import { metricsOf } from "../support/promql.ts";
import { ZooidEnsemble } from "../support/zooid.ts";

type Context = {
  readonly ensemble: ZooidEnsemble;
  readonly urls: readonly string[];
  /** The last scrape of each node, when every metric was there. */
  scrapes: readonly string[];
};
const test = anyTest as TestFn<Context>;

const EXPECTED: readonly string[] = [
  ...ZOOKEEPER_METRICS.flatMap((metric) => namesOf(metric, "both")),
  ...OWN_METRICS.map(({ name }) => name),
];

/** So often, each time after a fifth of a second. */
const ASKED_MAX = 150;

const WRITES = 20;

function committedOf(scrapes: readonly string[]): readonly number[] {
  return scrapes.map((text) => samplesOf(text).get("zooid_operations_committed_total") ?? 0);
}

function familiesOf(text: string): readonly string[] {
  return [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);
}

test.before(async (t) => {
  const ensemble = await ZooidEnsemble.start({ flags: ["--admin-port", "0"] });
  const urls = [...ensemble.output().matchAll(/^node \d {2}admin {2}(http:\S+)$/gm)];
  t.context = { ensemble, urls: urls.map(([, url = ""]) => url), scrapes: [] };
  const url = readFileSync(ensemble.clientUrlFile, "utf8").trim();
  const client = await connect(url, { connectTimeoutMs: 60_000 });
  for (let number = 0; number < WRITES; number += 1) await client.put(`/metrics-${number}`, "x");
  await client.close();
  // What is measured is reported once a second. In the end every node has counted the same operations.
  for (let asked = 1; ; asked += 1) {
    const told = await Promise.all(t.context.urls.map((each) => askAdmin(each, "/metrics")));
    t.context.scrapes = told.map(({ text }) => text);
    const there = new Set(t.context.scrapes.flatMap(familiesOf));
    const missing = EXPECTED.filter((name) => !there.has(name));
    const counts = committedOf(t.context.scrapes);
    const isSettled = counts.every((count) => count === counts[0] && count >= WRITES);
    if (missing.length === 0 && isSettled) return;
    if (asked === ASKED_MAX) {
      throw new Error(`not told: ${missing.join(", ")}; committed: ${counts.join(", ")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});

test.after.always(async (t) => {
  await (t.context as Partial<Context>).ensemble?.stop();
});

test.serial("each node has printed where its admin server answers", (t) => {
  t.is(new Set(t.context.urls).size, 3);
});

test.serial("every metric that is told has a row in the documentation", (t) => {
  const page = readFileSync(new URL("../../docs/operations/metrics.md", import.meta.url), "utf8");
  for (const family of new Set(t.context.scrapes.flatMap(familiesOf))) {
    t.true(page.includes(`\`${family}\``), family);
  }
});

test.serial("a histogram is one: its buckets grow up to its count", (t) => {
  for (const text of t.context.scrapes) {
    const samples = samplesOf(text);
    const counts = [...samples].filter(([name]) => /^zooid_\w+_count/.test(name));
    t.true(counts.length > 5);
    for (const [name, count] of counts) {
      const [family = "", labels = ""] = name.split(/_count/);
      const inner = labels.slice(1, -1);
      const buckets = [...samples].filter(
        ([each]) => each.startsWith(`${family}_bucket{${inner}`) && each.includes('le="'),
      );
      const values = buckets.map(([, value]) => value);
      t.deepEqual(
        values,
        values.toSorted((left, right) => left - right),
        name,
      );
      t.is(values.at(-1), count, name);
    }
  }
});

test.serial("the stages of a write are measured where they happen", (t) => {
  const samples = t.context.scrapes.map(samplesOf);
  const counted = (stage: string): readonly boolean[] =>
    samples.map((each) => (each.get(`zooid_write_stage_seconds_count{stage="${stage}"}`) ?? 0) > 0);
  for (const stage of ["queue", "log", "quorum"]) {
    t.is(counted(stage).filter(Boolean).length, 1, `${stage}, at the leader alone`);
  }
  for (const stage of ["apply", "reply"]) t.deepEqual(counted(stage), [true, true, true], stage);
  for (const stage of ["gateway", "whole"]) t.true(counted(stage).includes(true), stage);
});

test.serial("operations are counted: each node has seen the same", (t) => {
  const counts = committedOf(t.context.scrapes);
  t.true((counts[0] ?? 0) >= WRITES);
  t.is(new Set(counts).size, 1, counts.join());
});

type Panel = {
  readonly targets?: readonly { readonly expr: string }[];
};

test.serial("every metric that the board names is told", (t) => {
  const file = new URL("../../ops/grafana/zooid.json", import.meta.url);
  const board = JSON.parse(readFileSync(file, "utf8")) as {
    readonly panels: readonly Panel[];
  };
  const queries = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  t.true(queries.length > 40);
  checkNames(t, queries);
  checkNames(t, ["zooid_info"]);
});

test.serial("every metric that an alert rule names is told", (t) => {
  const file = new URL("../../ops/prometheus/zooid.rules.yml", import.meta.url);
  const rules = readFileSync(file, "utf8").split("- alert: ").slice(1);
  t.true(rules.length > 10);
  const queries = rules.map((rule) => {
    const [, query] = /\n\s+expr: (?:>-\n)?(.*?)\n\s+(?:for|labels):/s.exec(rule) ?? [];
    if (query === undefined) throw new Error(`no query: ${rule}`);
    return query;
  });
  checkNames(
    t,
    queries.filter((query) => !query.startsWith("up{")),
  );
});

function checkNames(
  t: { readonly context: Context; true(value: boolean, message: string): unknown },
  queries: readonly string[],
): void {
  const told = new Set(
    t.context.scrapes.flatMap((text) => [...samplesOf(text).keys()].map(withoutLabels)),
  );
  for (const query of queries) {
    const names = metricsOf(query);
    t.true(names.length > 0, query);
    for (const name of names) t.true(told.has(name), `${name} of ${query}`);
  }
}

function withoutLabels(name: string): string {
  return name.replace(/\{.*$/, "");
}

test.serial("collectors take mntr of a leader and of a follower apart", async (t) => {
  for (const { port } of t.context.ensemble.nodes) {
    const answer = await fourLetters({ port }, "mntr");
    const fields = readByTelegraf(answer);
    const names = fields.map(({ name }) => name);
    for (const name of ["peer_state", "fsync_threshold_exceed_count", "cnt_fsynctime"]) {
      t.true(names.includes(name), name);
    }
    const isLeader = answer.includes("zk_server_state\tleader");
    const { ofAll, ofLeader } = OPEN_TELEMETRY;
    t.deepEqual(
      readByOpenTelemetry(answer).toSorted(),
      [...ofAll, ...(isLeader ? ofLeader : [])].toSorted(),
    );
    t.true(readByExporter(answer.replace(/^zk_peer_state.*\n/m, "")).length > 30);
  }
});
