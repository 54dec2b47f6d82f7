/** Programs of users who have nothing but the package: written as they would write them. */

/** TypeScript, which relies on the types of the server. */
export const SERVER_PROGRAM = `
import { type Client, connect, NoNodeError, ZooidError } from "zooid/client";
import { ConfigurationError, startNode, type ChangeEvent, type RunningNode } from "zooid/server";
import { startTestEnsemble, type TestEnsemble } from "zooid/testing";

const dataDir: string = process.argv[2] ?? "data";
const wrong: ConfigurationError = await startNode({ lanes: 99 }).then(
  () => { throw new Error("it started"); },
  (error: unknown) => { if (error instanceof ConfigurationError) return error; throw error; },
);
console.log(wrong instanceof ZooidError, wrong.code, wrong.problems.map(({ field }) => field).join());
const node: RunningNode = await startNode({ dataDir, clientPort: 0, clientPortAddress: "127.0.0.1" });
node.leadership$.subscribe(({ role, epoch, leader }) => console.log(role, epoch, leader));
node.peers$.subscribe((peers) => console.log("peers", peers.length));
node.nats$.subscribe(({ peers }) => console.log("nats", peers ?? "none"));
const seen: ChangeEvent[] = [];
node.changes("/", { recursive: true }).subscribe({
  next: (change) => seen.push(change),
  complete: () => console.log("changes complete", seen.length),
});
// It is not closed, and keeps no process alive.
const ensemble: TestEnsemble = await startTestEnsemble({ nodes: 3, seed: 2 });
const tested: Client = await ensemble.connect({ sessionTimeoutMs: 4000 });
tested.changes("/", { recursive: true }).subscribe();
await tested.create("/a");
const missed: unknown = await tested.get("/b").catch((error: unknown) => error);
console.log("the same class", missed instanceof NoNodeError);
await ensemble.advance(60_000);
console.log("tested", (await tested.children("/")).children.toSorted().join(), ensemble.nodes.length);
await node.ready;
console.log("serves", node.clientPort > 0, typeof connect);
await node.stop();
console.log((await node.stopped).kind);
`;

/** TypeScript that is right under every way to resolve modules: what it calls is typed, and what is wrong is an error. */
export const CLIENT_TYPES = `
import { type Client, connect, type Created, json, key, NoNodeError, type Stat, text } from "zooid/client";

export async function use(client: Client, signal: AbortSignal): Promise<string | undefined> {
  const Name = key("/name", { codec: text });
  const made: Created = await client.create("/a/b-", "x", { sequential: true, parents: true, signal });
  const { value, stat }: { value: string; stat: Stat } = await client.get(Name);
  const raw: Uint8Array | null = (await client.get(made.path)).value;
  // @ts-expect-error The key's values are text.
  await client.put(Name, 5);
  // @ts-expect-error There is no such option.
  await client.delete("/a", { recursively: true });
  client.changes("/a", { recursive: true }).subscribe((change) => change.kind);
  client.state$.subscribe((state) => state.kind === "reconnecting" && state.reason);
  return raw === null || stat.version < 0 ? json.name : value;
}
export async function open(): Promise<boolean> {
  const client = await connect("nats://127.0.0.1:4222", { ensemble: "zooid" });
  return client.close().then(() => true, (error: unknown) => error instanceof NoNodeError);
}
`;

/** TypeScript that uses the adapters with the packages that they adapt. */
export const ADAPTER_TYPES = `
import Fastify from "fastify";
import { setRunCoordinator } from "node-cron";
import { OpenFeature } from "@openfeature/server-sdk";
import type { Client } from "zooid/client";
import { zooid } from "zooid/fastify";
import { OnlyOne, ZooidHealthIndicator, ZooidModule } from "zooid/nest";
import { zooidRunCoordinator } from "zooid/node-cron";
import { ZooidFlags } from "zooid/openfeature";
import { instrument } from "zooid/otel";

export async function use(client: Client): Promise<void> {
  using _telemetry = instrument({ paths: false });
  setRunCoordinator(zooidRunCoordinator(client, { path: "/cron" }));
  await OpenFeature.setProviderAndWait(new ZooidFlags(client, { path: "/flags" }));
  const app = Fastify();
  await app.register(zooid, { client, readyPath: "/ready" });
  app.get("/", async () => (await app.zooid.children("/")).children);
  console.log(ZooidModule.forRoot({ client }), OnlyOne("a"), ZooidHealthIndicator.name);
}
`;

/**
 * Plain JavaScript. It prints how long the import took, what has been loaded that a client has no need of, how much of RxJS that is, and the
 * code of the error of a client that reaches nobody.
 */
export const CLIENT_PROGRAM = `
import { registerHooks } from "node:module";
const loaded = [];
registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
const started = performance.now();
const { connect, json, key, ZooidError } = await import("zooid/client");
const tookMs = performance.now() - started;
const { path } = key("/limits", { codec: json });
const error = await connect("nats://127.0.0.1:9", { connectTimeoutMs: 300 }).catch((each) => each);
const others = /piscina|\\/dist\\/(server|actors|cli)\\/|\\/rxjs\\/dist\\/[^/]+\\/index\\.js/;
console.log(JSON.stringify({
  tookMs,
  path,
  code: error instanceof ZooidError ? error.code : String(error),
  unneeded: loaded.filter((url) => others.test(url)),
  modules: loaded.length,
}));
`;

/** Like it, without hooks: what is measured is the import alone. On a busy machine the time of the processor tells more. */
export const IMPORT_PROGRAM = `
const started = performance.now();
const before = process.cpuUsage();
await import("zooid/client");
const { user, system } = process.cpuUsage(before);
const ms = (performance.now() - started).toFixed(1);
console.log(ms + " ms, " + ((user + system) / 1000).toFixed(1) + " ms of the processor");
`;
