/** What a start loads, by the imports of the sources: a module that slips in is paid for by every process and every thread. */
import test from "ava";
import { reachOf } from "../../package/reach.ts";
import { CHECKOUT } from "../../support/zooid-command.ts";

type Loaded = { readonly files: ReadonlySet<string>; readonly packages: readonly string[] };

/** What is loaded when these are, one after the other, without what they load later. */
function loadedBy(...entries: readonly string[]): Loaded {
  const reached = entries.map((entry) => reachOf(CHECKOUT, entry));
  return {
    files: new Set(reached.flatMap(({ eagerFiles }) => eagerFiles)),
    packages: [...new Set(reached.flatMap(({ eagerPackages }) => eagerPackages))].toSorted(),
  };
}

function among({ files }: Loaded, folder: RegExp): readonly string[] {
  return [...files].filter((file) => folder.test(file)).toSorted();
}

/** Names and versions of the log's files, which whoever reads a configuration knows. */
const LOG_NAMES = ["actors/log/format/files.ts", "actors/log/format/procedure.ts"];
const ENTRY = ["cli/zooid.ts", "cli/main.ts"] as const;
const SERVE = [...ENTRY, "cli/serve.ts", "server/node.ts"] as const;

test("before sources are kept, next to nothing is loaded", (t) => {
  const entry = loadedBy("cli/zooid.ts");
  t.true(entry.files.has("cli/node-version.ts"));
  t.true(entry.files.size <= 5, [...entry.files].join(" "));
  t.deepEqual(entry.packages, []);
});

test("the process of an ensemble loads no node: no actors, no NATS, no RxJS", (t) => {
  const ensemble = loadedBy(...ENTRY, "cli/ensemble/command.ts", "cli/ensemble/run.ts");
  t.true(ensemble.files.has("cli/ensemble/process-node.ts"));
  t.deepEqual(ensemble.packages, ["cbor-x", "fastest-levenshtein"]);
  t.deepEqual(among(ensemble, /^actors\//), LOG_NAMES);
  t.deepEqual(among(ensemble, /^(?:client|runtime\/(?:lanes|testing)|cli\/console)\//), []);
  t.true(ensemble.files.size <= 90, `${ensemble.files.size} modules`);
});

test("a node loads neither the library of NATS before it connects, nor the console, nor the admin server", (t) => {
  const node = loadedBy(...SERVE, "server/threads/one-thread.ts");
  t.true(node.files.has("actors/tree/tree.ts"));
  t.deepEqual(node.packages, ["cbor-x", "fastest-levenshtein", "rxjs"]);
  t.deepEqual(among(node, /^(?:client|runtime\/lanes|cli\/(?:console|ensemble))\//), []);
  t.deepEqual(among(node, /^server\/admin\//), ["server/admin/node-facts.ts"]);
  t.true(node.files.size <= 400, `${node.files.size} modules`);
});

test("a thread loads the actors that live on it, and not those of other threads", (t) => {
  const main = loadedBy(...SERVE, "server/threads/own-threads.ts");
  t.true(main.files.has("actors/log-sync/log-sync.ts"));
  t.false(main.files.has("actors/tree/tree.ts"));
  t.false(main.files.has("actors/log/log.ts"));
  t.deepEqual(among(main, /^actors\/gateway\/(?:nats|zookeeper)\//), []);
  const log = loadedBy("server/lanes/log-lane.ts");
  t.true(log.files.has("actors/log/log.ts"));
  t.deepEqual(among(log, /^actors\/(?:admin|gateway|log-sync|tree)\//), []);
  const tree = loadedBy("server/lanes/tree-lane.ts");
  t.true(tree.files.has("actors/tree/tree.ts"));
  t.false(tree.files.has("actors/log/log.ts"));
  t.deepEqual(tree.packages, ["cbor-x", "rxjs"]);
});
