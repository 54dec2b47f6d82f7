/** Change streams in the node's own process: the changes actor over the tree of a lane, and what readers see of it. */
import { crc32 } from "node:zlib";
import test from "ava";
import { type Subscription, take } from "rxjs";
import { changesActor, type ChangesState } from "../../../actors/changes/changes.ts";
import { treeActor, type TreeState } from "../../../actors/tree/tree.ts";
import type { ChangeEvent } from "../../../protocol/changes.ts";
import type { ZooidError } from "../../../protocol/errors.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { type Leadership, NO_LEADERSHIP } from "../../../protocol/replication.ts";
import type { ZnodeOperation } from "../../../protocol/operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import { SeededRandomness, VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import { type ChangesOptions, ChangeStreams } from "../../../server/change-streams.ts";
import { NodeStoppedError } from "../../../server/errors.ts";
import { bytes, client, create, PASSWORD, Replica, setData } from "../../support/replica.ts";
import { server as numbered } from "../../support/plain-calls.ts";

const SERVING: Leadership = { ...NO_LEADERSHIP, role: "following" };

type BenchOptions = {
  readonly ringBytesMax?: number;
  readonly pendingBytesMax?: number;
  /** Default true. */
  readonly serves?: boolean;
};

class Bench {
  readonly clock = new VirtualClock();
  readonly stops: string[] = [];
  readonly streams: ChangeStreams;
  readonly system: ActorSystem;
  /** The kind of message over which the changes actor is to fail, once. */
  failing: string | undefined;
  /** Makes the records. */
  readonly #writer = new Replica();
  readonly #session: SessionId;

  constructor({ ringBytesMax, pendingBytesMax, serves = true }: BenchOptions = {}) {
    this.system = new ActorSystem({
      node: numbered(1),
      clock: this.clock,
      randomness: new SeededRandomness(1),
      route: () => undefined,
      onStopNode: (reason) => this.stops.push(reason),
      atStep: (point, actor, message) => {
        const { kind } = message as { readonly kind: string };
        if (point !== "before") return;
        if (actor !== "changes" || kind !== this.failing) return;
        this.failing = undefined;
        throw new Error("planted");
      },
    });
    this.streams = new ChangeStreams(this.system);
    const server = numbered(1);
    const ring = ringBytesMax === undefined ? {} : { ringBytesMax };
    this.system.add(treeActor({ server, lane: 1, crc32, ...ring }));
    this.system.add(changesActor(pendingBytesMax === undefined ? {} : { pendingBytesMax }));
    this.#commit({ kind: "createSession", timeoutMs: 10_000, password: PASSWORD });
    this.#session = this.lastZxid as number as SessionId;
    if (serves) this.serve();
  }

  get lastZxid(): Zxid {
    return this.#writer.lastZxid;
  }

  get tree(): TreeState {
    return this.system.stateOf("tree/1") as TreeState;
  }

  get changes(): ChangesState {
    return this.system.stateOf("changes") as ChangesState;
  }

  serve(): void {
    this.system.tell("changes", SERVING);
    this.run();
  }

  run(): void {
    this.clock.advance(0);
  }

  /** Each a record of its own. */
  write(...operations: readonly ZnodeOperation[]): void {
    for (const operation of operations) this.#commit(client(this.#session, operation));
  }

  follow(path: string, options: ChangesOptions = {}): Seen {
    return new Seen(this, path, options);
  }

  #commit(operation: Parameters<Replica["record"]>[0][number]): void {
    const records = [this.#writer.record([operation])];
    this.system.tell("tree/1", { kind: "committed", records });
    this.run();
  }
}

/** What a subscriber is told. */
class Seen {
  readonly events: string[] = [];
  readonly subscription: Subscription;

  constructor(bench: Bench, path: string, options: ChangesOptions) {
    this.subscription = bench.streams.changes(path, options).subscribe({
      next: (event) => this.events.push(briefOf(event)),
      error: (error: ZooidError) => this.events.push(error.code),
      complete: () => this.events.push("complete"),
    });
    bench.run();
  }
}

function briefOf(event: ChangeEvent): string {
  if (event.kind === "progress") return `progress ${event.zxid}`;
  if (event.kind === "compacted") return `compacted ${event.oldest}`;
  return `${event.kind} ${event.path}`;
}

/** Lets everything happen that promises wait for. */
async function settle(bench: Bench): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    bench.run();
    await Promise.resolve();
  }
}

test("a subscriber is told each change below its path, from the subscription on", (t) => {
  const bench = new Bench();
  bench.write(create("/a"), create("/a/before"));
  const all = bench.follow("/a", { recursive: true });
  const one = bench.follow("/a");
  bench.write(create("/a/b"), setData("/a", bytes("1")), create("/other"));
  t.deepEqual(all.events, ["created /a/b", "data /a"]);
  t.deepEqual(one.events, ["data /a"]);
});

test("nothing is opened until somebody subscribes, and an unsubscribed stream is closed at the tree", (t) => {
  const bench = new Bench();
  const changes = bench.streams.changes("/a");
  bench.run();
  t.is(bench.tree.streams.byPath.size, 0);
  const first = changes.subscribe();
  const second = changes.subscribe();
  bench.run();
  const [group] = bench.tree.streams.byPath.get("/a") ?? [];
  t.is(group?.members.size, 2);
  first.unsubscribe();
  second.unsubscribe();
  bench.run();
  t.is(bench.tree.streams.byPath.size, 0);
  t.is(bench.changes.readers.size, 0);
});

test("a subscriber that has enough in the midst of a message is told nothing more", (t) => {
  const bench = new Bench();
  const seen: string[] = [];
  bench.write(create("/a"), create("/a/b"), create("/a/c"));
  const from = 1 as Zxid;
  bench.streams
    .changes("/", { recursive: true, from })
    .pipe(take(2))
    .subscribe((event) => seen.push(briefOf(event)));
  bench.run();
  t.deepEqual(seen, ["created /a", "created /a/b"]);
  t.is(bench.changes.readers.size, 0);
});

test("a stream from an earlier zxid begins with what has happened since", (t) => {
  const bench = new Bench();
  bench.write(create("/a"));
  const from = bench.lastZxid;
  bench.write(setData("/a", bytes("1")));
  const seen = bench.follow("/a", { from, progress: true });
  t.deepEqual(seen.events, ["data /a", `progress ${bench.lastZxid}`]);
});

test("a stream whose next changes are no longer kept is told so, and completes", (t) => {
  const bench = new Bench({ ringBytesMax: 2_000 });
  bench.write(create("/a"));
  const from = bench.lastZxid;
  for (let index = 0; index < 100; index += 1) bench.write(create(`/b${index}`));
  const seen = bench.follow("/a", { from });
  t.deepEqual(seen.events, [`compacted ${bench.tree.ring.oldest}`, "complete"]);
  t.is(bench.changes.readers.size, 0);
});

test("a stream that is opened before the node serves begins when it does", (t) => {
  const bench = new Bench({ serves: false });
  const seen = bench.follow("/", { recursive: true });
  bench.write(create("/replayed"));
  t.deepEqual(seen.events, []);
  bench.serve();
  bench.write(create("/new"));
  t.deepEqual(seen.events, ["created /new"]);
});

test("a reader that iterates slowly holds bounded memory and misses nothing", async (t) => {
  const pendingBytesMax = 2_000;
  const bench = new Bench({ pendingBytesMax });
  const iterator = bench.streams.changes("/", { recursive: true })[Symbol.asyncIterator]();
  const first = iterator.next();
  await settle(bench);
  bench.write(create("/a"));
  await settle(bench);
  const seen = [briefOf((await first).value as ChangeEvent)];
  const paths = Array.from({ length: 100 }, (_, index) => `/b${index}`);
  for (const path of paths) {
    bench.write(create(path));
    const [reader] = bench.changes.readers.values();
    t.true((reader?.pendingBytes ?? 0) <= pendingBytesMax + 200);
  }
  t.is(bench.tree.streams.byPath.size, 0, "paused");
  while (seen.length <= paths.length) {
    const next = iterator.next();
    await settle(bench);
    seen.push(briefOf((await next).value as ChangeEvent));
  }
  t.deepEqual(
    seen,
    ["/a", ...paths].map((path) => `created ${path}`),
  );
  await iterator.return?.();
  bench.run();
  t.is(bench.changes.readers.size, 0);
});

test("a paused reader that the tree goes on without is given what came before, then told", async (t) => {
  const bench = new Bench({ pendingBytesMax: 500, ringBytesMax: 2_000 });
  const iterator = bench.streams.changes("/", { recursive: true })[Symbol.asyncIterator]();
  const first = iterator.next();
  await settle(bench);
  for (let index = 0; index < 100; index += 1) bench.write(create(`/b${index}`));
  await settle(bench);
  const seen = [briefOf((await first).value as ChangeEvent)];
  for (;;) {
    const next = iterator.next();
    await settle(bench);
    const { done, value } = await next;
    if (done === true) break;
    seen.push(briefOf(value));
  }
  const last = seen.pop() ?? "";
  t.regex(last, /^compacted \d+$/);
  t.deepEqual(
    seen,
    seen.map((_, index) => `created /b${index}`),
  );
  t.true(seen.length > 1 && seen.length < 100);
});

test("streams that the tree loses with its state are opened again where they stopped", (t) => {
  const bench = new Bench();
  const seen = bench.follow("/", { recursive: true });
  bench.write(create("/a"));
  // As a snapshot does that takes the place of the state.
  bench.tree.streams.byClient.clear();
  bench.tree.streams.byPath.clear();
  bench.system.tell("changes", { kind: "treeReset" });
  bench.run();
  bench.write(create("/b"));
  t.deepEqual(seen.events, ["created /a", "created /b"]);
});

test("an actor that fails ends all streams with an error, and new ones go on", (t) => {
  const bench = new Bench();
  const seen = [bench.follow("/a"), bench.follow("/b")];
  bench.failing = "changes";
  bench.write(create("/a"));
  t.deepEqual(
    seen.map(({ events }) => events),
    [["ZOOID_CHANGES_FAILED"], ["ZOOID_CHANGES_FAILED"]],
  );
  t.is(bench.tree.streams.byPath.size, 0);
  const next = bench.follow("/a");
  bench.write(setData("/a", bytes("1")));
  t.deepEqual(next.events, ["data /a"]);
  t.deepEqual(bench.stops, []);
});

test("a reader whose opening fails, here or when the tree answers, ends with an error and holds up nobody", (t) => {
  const bench = new Bench();
  for (const kind of ["openReader", "changes"]) {
    bench.failing = kind;
    t.deepEqual(bench.follow("/a").events, ["ZOOID_CHANGES_FAILED"], kind);
  }
  const next = bench.follow("/a");
  bench.write(create("/a"));
  t.deepEqual(next.events, ["created /a"]);
});

test("when the node is stopped streams complete, when it fails they error, and none begins afterwards", async (t) => {
  const asked = new Bench();
  const completed = asked.follow("/a");
  asked.streams.end(undefined);
  t.deepEqual(completed.events, ["complete"]);
  t.deepEqual(asked.follow("/a").events, ["ZOOID_NODE_STOPPED"]);
  const failed = new Bench();
  const errored = failed.follow("/a");
  const iterating = failed.streams.changes("/a")[Symbol.asyncIterator]().next();
  failed.run();
  failed.streams.end(new NodeStoppedError("it failed"));
  t.deepEqual(errored.events, ["ZOOID_NODE_STOPPED"]);
  await t.throwsAsync(iterating, { instanceOf: NodeStoppedError });
});

test("a path or an option that is none is refused at once", (t) => {
  const { streams } = new Bench();
  const codeOf = (path: unknown, options: unknown): string | undefined =>
    t.throws<ZooidError>(() => streams.changes(path as string, options as ChangesOptions))?.code;
  t.is(codeOf("a", {}), "ZOOID_BAD_ARGUMENTS");
  t.is(codeOf("/a", { recursive: 1 }), "ZOOID_BAD_ARGUMENTS");
  t.is(codeOf("/a", { from: -1 }), "ZOOID_BAD_ARGUMENTS");
  t.is(codeOf("/a", null), "ZOOID_BAD_ARGUMENTS");
});

test("an iteration that is given up while it waits ends at once, and its stream with it", async (t) => {
  const bench = new Bench();
  const iterator = bench.streams.changes("/quiet")[Symbol.asyncIterator]();
  const waiting = iterator.next();
  await settle(bench);
  t.is(bench.changes.readers.size, 1);
  t.deepEqual(await iterator.return?.(), { done: true, value: undefined });
  t.deepEqual(await waiting, { done: true, value: undefined });
  bench.run();
  t.is(bench.changes.readers.size, 0);
  t.is(bench.tree.streams.byPath.size, 0);
});

test("a reader that was told compacted has no stream opened again", async (t) => {
  const bench = new Bench({ pendingBytesMax: 500, ringBytesMax: 2_000 });
  const opened: number[] = [];
  bench.system.decisions$.subscribe(({ actor, message }) => {
    if (actor === "tree/1" && "kind" in message && message.kind === "openStream") opened.push(1);
  });
  const iterator = bench.streams.changes("/", { recursive: true })[Symbol.asyncIterator]();
  const first = iterator.next();
  await settle(bench);
  for (let index = 0; index < 100; index += 1) bench.write(create(`/b${index}`));
  await settle(bench);
  await first;
  for (let isDone = false; !isDone; ) {
    const next = iterator.next();
    await settle(bench);
    isDone = (await next).done === true;
  }
  t.is(opened.length, 2, "at first, and once after the pause");
});
