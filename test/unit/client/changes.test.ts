import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { errorOfEnd } from "../../../client/failures.ts";
import type { SessionEffect } from "../../../client/session/messages.ts";
import {
  consumed,
  endStreams,
  newStreams,
  receiveStreamItem,
  reopenStreams,
  type StreamItem,
  type StreamTurn,
  subscribe,
  unsubscribe,
} from "../../../client/session/streams.ts";
import type { ClientItem } from "../../../protocol/native.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { STAT } from "../../support/native-gateway.ts";

const change = (zxid: number, path = "/a"): Change => ({
  ...{ zxid: zxid as Zxid, index: 0, kind: "deleted", path, stat: STAT },
});

type Options = { readonly recursive?: boolean; readonly from?: Zxid; readonly progress?: boolean };
type Subscription = { readonly unsubscribe: () => void };

/** The streams of a session, with subscribers that consume at once. */
class Client {
  said: ClientItem[] = [];
  lastZxid = 10 as Zxid;
  connection = 1;
  readonly streams = newStreams(8192);
  readonly #heard = new Map<number, { readonly lines: string[]; readonly progress: boolean }>();

  subscribe(
    path: string,
    { recursive = false, from: after = this.lastZxid, progress = false }: Options = {},
  ): { readonly heard: string[]; readonly subscription: Subscription } {
    const number = this.#heard.size + 1;
    const heard: string[] = [];
    this.#heard.set(number, { lines: heard, progress });
    this.#take((turn) =>
      subscribe(turn, { kind: "subscribe", subscription: number, path, recursive, after }),
    );
    return {
      heard,
      subscription: { unsubscribe: () => this.#take((turn) => unsubscribe(turn, number)) },
    };
  }

  receive(stream: number, through: number, ...changes: Change[]): void {
    this.lastZxid = Math.max(this.lastZxid, through) as Zxid;
    this.hear({ kind: "changes", stream, through: through as Zxid, changes });
  }

  hear(item: StreamItem): void {
    this.#take((turn) => receiveStreamItem(turn, item));
  }

  reconnect(): void {
    this.connection += 1;
    this.said.push(...reopenStreams(this.streams));
  }

  consumed(stream: number, connection: number, changes: number): void {
    this.#take((turn) => consumed(turn, { kind: "consumed", stream, connection, changes }));
  }

  end(): void {
    this.#take((turn) => endStreams(turn, { kind: "completed" }));
  }

  hears(): string[] {
    const said = this.said.map((item) => `${item.kind} ${"stream" in item ? item.stream : ""}`);
    this.said = [];
    return said;
  }

  #take(run: (turn: StreamTurn) => void): void {
    const { streams, connection } = this;
    const effects: SessionEffect[] = [];
    run({ streams, connection, effects, say: (item) => this.said.push(item) });
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SessionEffect): void {
    if (effect.kind === "deliver") {
      for (const each of effect.subscriptions) {
        const { lines = [], progress = false } = this.#heard.get(each) ?? {};
        lines.push(...effect.changes.map(({ zxid, path }) => `${zxid} ${path}`));
        if (progress) lines.push(`through ${effect.through}`);
      }
      this.consumed(effect.stream, effect.connection, effect.changes.length);
    } else if (effect.kind === "endSubscriptions") {
      const { end } = effect;
      const text = end.kind === "compacted" ? [`compacted ${end.oldest}`] : [];
      for (const each of effect.subscriptions) {
        this.#heard.get(each)?.lines.push(...text, errorOfEnd(end)?.code ?? "end");
      }
    }
  }
}

test("subscriptions from the same place share a stream, which ends with the last of them", (t) => {
  const client = new Client();
  const one = client.subscribe("/a");
  const two = client.subscribe("/a", { progress: true });
  client.subscribe("/a", { recursive: true });
  client.subscribe("/b");
  client.subscribe("/a", { from: 9 as Zxid });
  t.deepEqual(client.hears(), ["openStream 1", "openStream 2", "openStream 3", "openStream 4"]);
  client.receive(1, 11, change(11));
  t.deepEqual([one.heard, two.heard], [["11 /a"], ["11 /a", "through 11"]]);
  one.subscription.unsubscribe();
  t.deepEqual(client.hears(), []);
  client.receive(1, 12, change(12));
  two.subscription.unsubscribe();
  t.deepEqual(client.hears(), ["closeStream 1"]);
  t.deepEqual([one.heard.length, two.heard.length], [1, 4]);
});

test("a later subscription has a stream until it has caught up, and then shares the one before", (t) => {
  const client = new Client();
  const one = client.subscribe("/a");
  client.receive(1, 12, change(11));
  const two = client.subscribe("/a", { from: 10 as Zxid, progress: true });
  const three = client.subscribe("/a", { progress: true });
  t.deepEqual(client.hears(), ["openStream 1", "openStream 2", "openStream 3"]);
  client.receive(3, 12);
  client.receive(2, 11, change(11));
  t.deepEqual(client.hears(), ["closeStream 3"], "the third stands where the first does");
  client.receive(2, 12);
  t.deepEqual(client.hears(), ["closeStream 2"]);
  client.receive(2, 13, change(13));
  client.receive(1, 13, change(13));
  t.deepEqual(one.heard, ["11 /a", "13 /a"]);
  t.deepEqual(two.heard, ["11 /a", "through 11", "through 12", "13 /a", "through 13"]);
  t.deepEqual(three.heard, ["through 12", "13 /a", "through 13"]);
});

test("credits are granted once for a shared stream", (t) => {
  const client = new Client();
  client.subscribe("/a");
  client.subscribe("/a");
  client.hears();
  const many = (from: number, length: number): Change[] =>
    Array.from({ length }, (_, index) => change(from + index));
  client.receive(1, 4000, ...many(0, 4000));
  t.deepEqual(client.said, []);
  client.receive(1, 4200, ...many(4000, 200));
  t.deepEqual(client.said, [{ kind: "credit", stream: 1, credits: 4200 }]);
});

test("all subscriptions of a stream learn of its end, and a client has a limited number of them", (t) => {
  const client = new Client();
  const compacted = [client.subscribe("/a"), client.subscribe("/a")];
  const refused = [client.subscribe("/b"), client.subscribe("/b")];
  const ended = [client.subscribe("/c"), client.subscribe("/c")];
  for (let count = 6; count < 1000; count += 1) client.subscribe("/d");
  t.deepEqual(client.subscribe("/d").heard, ["ZOOID_BAD_ARGUMENTS"]);
  t.is(client.streams.byNumber.size, 4);
  client.hear({ kind: "compacted", stream: 1, oldest: 20 as Zxid });
  client.hear({ kind: "streamRefused", stream: 2, code: -8 });
  client.hears();
  client.subscribe("/d");
  t.deepEqual(client.hears(), [], "there is room again, and the stream is still unanswered");
  client.end();
  t.deepEqual(client.hears(), []);
  for (const { heard } of compacted) t.deepEqual(heard, ["compacted 20", "end"]);
  for (const { heard } of refused) t.deepEqual(heard, ["ZOOID_BAD_ARGUMENTS"]);
  for (const { heard } of ended) t.deepEqual(heard, ["end"]);
});

test("credits for what an earlier connection carried are not granted on the next", (t) => {
  const client = new Client();
  client.subscribe("/a");
  client.consumed(1, 1, 4000);
  client.reconnect();
  client.said = [];
  client.consumed(1, 1, 8000);
  client.consumed(1, 2, 4000);
  t.deepEqual(client.said, []);
  client.consumed(1, 2, 96);
  t.deepEqual(client.said, [{ kind: "credit", stream: 1, credits: 4096 }]);
});

/** A gateway at which every zxid is one change, of `/a` or of `/a/b`. */
class Gateway {
  readonly client = new Client();
  latest = 10;
  readonly #open = new Map<number, { path: string; recursive: boolean; after: number }>();

  /** Takes what the client has said. */
  take(): void {
    for (const item of this.client.said) {
      if (item.kind === "openStream") {
        const { path, recursive, after } = item;
        this.#open.set(item.stream, { path, recursive, after });
      }
      if (item.kind === "closeStream") this.#open.delete(item.stream);
    }
    this.client.said = [];
  }

  reconnect(): void {
    this.#open.clear();
    this.client.reconnect();
  }

  /** Tells the stream at this place among all of so many zxids. Those that closed since have not been heard. */
  tell(place: number, zxids: number): void {
    const [number, stream] = [...this.#open][place % Math.max(1, this.#open.size)] ?? [];
    if (number === undefined || stream === undefined) return;
    const through = Math.max(stream.after, Math.min(this.latest, stream.after + zxids));
    const changes = due(stream, through).map((zxid) => change(zxid, pathOf(zxid)));
    stream.after = through;
    this.client.receive(number, through, ...changes);
  }

  tellAll(): void {
    for (let place = 0; place < this.#open.size; place += 1) this.tell(place, this.latest);
  }
}

const pathOf = (zxid: number): string => (zxid % 3 === 0 ? "/a/b" : "/a");

function due(
  { path, recursive, after }: { path: string; recursive: boolean; after: number },
  through: number,
): number[] {
  const zxids = Array.from({ length: through - after }, (_, index) => after + 1 + index);
  return zxids.filter((zxid) => {
    return pathOf(zxid) === path || (recursive && pathOf(zxid).startsWith(path));
  });
}

const commands = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("subscribe" as const),
      path: fc.constantFrom("/a", "/a/b"),
      recursive: fc.boolean(),
      back: fc.nat(3),
    }),
    fc.record({ do: fc.constant("unsubscribe" as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant("write" as const), zxids: fc.nat(4) }),
    fc.record({ do: fc.constant("tell" as const), place: fc.nat(20), zxids: fc.nat(4) }),
    fc.record({ do: fc.constantFrom("tellAll" as const, "take" as const) }),
    fc.record({ do: fc.constant("reconnect" as const) }),
  ),
  { maxLength: 60 },
);

test("whatever is shared, every subscription hears its changes in order, each once", (t) => {
  fc.assert(
    fc.property(commands, (list) => play(t, list)),
    { seed: 1, numRuns: 300 },
  );
});

type Command = typeof commands extends fc.Arbitrary<(infer Each)[]> ? Each : never;

function play(t: ExecutionContext, list: readonly Command[]): void {
  const gateway = new Gateway();
  const { client } = gateway;
  const all: { path: string; recursive: boolean; after: number; heard: string[]; end?: number }[] =
    [];
  const subscriptions: Subscription[] = [];
  for (const command of list) {
    switch (command.do) {
      case "subscribe": {
        const { path, recursive, back } = command;
        const from = (client.lastZxid - back) as Zxid;
        const { heard, subscription } = client.subscribe(path, { recursive, from });
        all.push({ path, recursive, after: from, heard });
        subscriptions.push(subscription);
        break;
      }
      case "unsubscribe": {
        const each = all[command.which];
        if (each !== undefined) each.end ??= each.heard.length;
        subscriptions[command.which]?.unsubscribe();
        break;
      }
      case "write":
        gateway.latest += command.zxids;
        break;
      case "tell":
        gateway.tell(command.place, command.zxids);
        break;
      default:
        gateway[command.do]();
    }
  }
  gateway.take();
  gateway.tellAll();
  gateway.take();
  for (const { heard, end, ...stream } of all) {
    const wanted = due(stream, gateway.latest).map((zxid) => `${zxid} ${pathOf(zxid)}`);
    t.deepEqual(heard, wanted.slice(0, end));
  }
}

test("subscriptions of the same znodes come to share one stream", (t) => {
  const gateway = new Gateway();
  const { client } = gateway;
  for (let each = 0; each < 20; each += 1) {
    gateway.latest += 1;
    client.subscribe("/a", { from: (client.lastZxid - (each % 5)) as Zxid });
    gateway.take();
    gateway.tell(each, 2);
  }
  gateway.tellAll();
  gateway.take();
  gateway.tellAll();
  t.is(client.streams.byNumber.size, 1);
});
