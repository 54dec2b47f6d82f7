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
  type Streams,
  type StreamTurn,
  subscribe,
  unsubscribe,
} from "../../../client/session/streams.ts";
import type { Recursive } from "../../../protocol/changes.ts";
import type { ClientItem } from "../../../protocol/native.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { STAT } from "../../support/native-gateway.ts";

const change = (zxid: number, path = "/a"): Change => ({
  ...{ zxid: zxid as Zxid, index: 0, kind: "deleted", path, stat: STAT },
});

type Options = {
  readonly recursive?: boolean;
  readonly from?: Zxid;
  readonly progress?: boolean;
  readonly slow?: boolean;
};
type Subscriber = {
  readonly heard: string[];
  /** The sizes of the portions that it has not taken. */
  readonly untaken: number[];
  readonly progress: boolean;
  readonly slow: boolean;
};
type Subscription = {
  readonly unsubscribe: () => void;
  /** It takes so many of the portions that it has not taken, or all. */
  readonly take: (portions?: number) => void;
};

/** The streams of a session, with subscribers that take at once, or when they are told to. */
class Client {
  said: ClientItem[] = [];
  lastZxid = 10 as Zxid;
  readonly streams: Streams;
  readonly #subscribers = new Map<number, Subscriber>();

  constructor(window = 8192) {
    this.streams = newStreams(window);
  }

  subscribe(
    path: string,
    options: Options = {},
  ): { readonly heard: string[]; readonly subscription: Subscription } {
    const { recursive = false, from: after = this.lastZxid } = options;
    const { progress = false, slow = false } = options;
    const number = this.#subscribers.size + 1;
    const subscriber: Subscriber = { heard: [], untaken: [], progress, slow };
    this.#subscribers.set(number, subscriber);
    this.#take((turn) =>
      subscribe(turn, { kind: "subscribe", subscription: number, path, recursive, after }),
    );
    return {
      heard: subscriber.heard,
      subscription: {
        unsubscribe: () => this.#take((turn) => unsubscribe(turn, number)),
        take: (portions = Infinity) => {
          for (const changes of subscriber.untaken.splice(0, portions)) {
            this.consumed([number], changes);
          }
        },
      },
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
    this.said.push(...reopenStreams(this.streams));
  }

  consumed(subscriptions: readonly number[], changes: number): void {
    this.#take((turn) => consumed(turn, { kind: "consumed", subscriptions, changes }));
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
    const effects: SessionEffect[] = [];
    run({ streams: this.streams, effects, say: (item) => this.said.push(item) });
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SessionEffect): void {
    if (effect.kind === "deliver") {
      const { changes, through } = effect;
      const atOnce: number[] = [];
      for (const each of effect.subscriptions) {
        const subscriber = this.#subscribers.get(each);
        if (subscriber === undefined) continue;
        subscriber.heard.push(...changes.map(({ zxid, path }) => `${zxid} ${path}`));
        if (subscriber.progress) subscriber.heard.push(`through ${through}`);
        if (subscriber.slow) subscriber.untaken.push(changes.length);
        else atOnce.push(each);
      }
      this.consumed(atOnce, changes.length);
    } else if (effect.kind === "endSubscriptions") {
      const { end } = effect;
      const text = end.kind === "compacted" ? [`compacted ${end.oldest}`] : [];
      for (const each of effect.subscriptions) {
        this.#subscribers.get(each)?.heard.push(...text, errorOfEnd(end)?.code ?? "end");
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

const many = (from: number, length: number): Change[] =>
  Array.from({ length }, (_, index) => change(from + index));

test("what was delivered before a reconnect and is not taken leaves less for the next connection", (t) => {
  const client = new Client();
  const { subscription } = client.subscribe("/a", { slow: true });
  client.receive(1, 6010, ...many(11, 6000));
  client.said = [];
  client.reconnect();
  t.like(client.said, [{ kind: "openStream", after: 6010 as Zxid, credits: 2192 }]);
  client.said = [];
  subscription.take();
  t.deepEqual(client.said, [{ kind: "credit", stream: 1, credits: 6000 }]);
});

test("a slow subscription leaves the stream that it would hold up, and goes on by itself", (t) => {
  const client = new Client(8);
  const fast = client.subscribe("/a");
  const slow = client.subscribe("/a", { slow: true });
  client.receive(1, 14, ...many(11, 4));
  t.deepEqual(client.hears(), ["openStream 1"], "it may still catch up");
  client.receive(1, 16, ...many(15, 2));
  t.deepEqual(client.said, [{ kind: "credit", stream: 1, credits: 6 }]);
  client.receive(1, 18, ...many(17, 2));
  t.is(slow.heard.length, 6, "it is given no more than it has space for");
  t.is(fast.heard.length, 8);
  client.said = [];
  slow.subscription.take(1);
  t.like(client.said, [{ kind: "openStream", stream: 2, after: 16 as Zxid, credits: 6 }]);
  client.receive(2, 18, ...many(17, 2));
  t.is(client.streams.byNumber.size, 2, "it has not taken enough to share a stream");
  client.said = [];
  slow.subscription.take(1);
  t.like(client.said, [{ kind: "closeStream", stream: 2 }], "it stands where the first does");
  t.deepEqual(slow.heard, fast.heard);
});

test("a subscription that rests and has missed nothing goes on with the stream that it left", (t) => {
  const client = new Client(8);
  client.subscribe("/a");
  const slow = client.subscribe("/a", { slow: true });
  client.receive(1, 16, ...many(11, 6));
  client.hears();
  slow.subscription.take();
  t.deepEqual(client.hears(), []);
  client.receive(1, 17, change(17));
  t.is(slow.heard.length, 7);
});

test("a subscription that never takes leaves the others the stream, also at a reconnect", (t) => {
  const client = new Client(4);
  const fast = client.subscribe("/a");
  const stopped = client.subscribe("/a", { slow: true });
  const alone = client.subscribe("/b", { slow: true });
  client.receive(1, 12, ...many(11, 2));
  client.receive(2, 14, ...many(11, 4));
  client.said = [];
  client.reconnect();
  t.like(client.said, [
    { kind: "openStream", stream: 1, after: 12 as Zxid, credits: 2 },
    { kind: "openStream", stream: 2, after: 14 as Zxid, credits: 0 },
  ]);
  for (let zxid = 13; zxid < 40; zxid += 1) client.receive(1, zxid, change(zxid));
  t.is(fast.heard.length, 29);
  t.is(stopped.heard.length, 3);
  t.is(alone.heard.length, 4);
  client.end();
  t.is(stopped.heard.at(-1), "end", "one that rests learns of the end, too");
});

test("when the slow one is gone the others are granted more", (t) => {
  const client = new Client(8);
  const slow = [1, 2].map(() => client.subscribe("/a", { slow: true }));
  client.receive(1, 15, ...many(11, 5));
  slow[0]?.subscription.take();
  client.said = [];
  slow[1]?.subscription.unsubscribe();
  t.deepEqual(client.said, [{ kind: "credit", stream: 1, credits: 5 }]);
});

/** A gateway at which every zxid is one change, of `/a` or of `/a/b`. */
class Gateway {
  readonly client: Client;
  latest = 10;
  readonly #open = new Map<number, GatewayStream>();

  constructor(window?: number) {
    this.client = new Client(window);
  }

  /** Takes what the client has said. */
  take(): void {
    for (const item of this.client.said) {
      if (item.kind === "openStream") {
        const { path, recursive, after, credits } = item;
        this.#open.set(item.stream, { path, recursive, after, credits });
      }
      const stream = item.kind === "credit" ? this.#open.get(item.stream) : undefined;
      if (item.kind === "credit" && stream !== undefined) stream.credits += item.credits;
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
    const most = Math.min(zxids, Math.max(0, stream.credits));
    const through = Math.max(stream.after, Math.min(this.latest, stream.after + most));
    const changes = due(stream, through).map((zxid) => change(zxid, pathOf(zxid)));
    stream.after = through;
    stream.credits -= changes.length;
    this.client.receive(number, through, ...changes);
  }

  tellAll(): void {
    for (let place = 0; place < this.#open.size; place += 1) this.tell(place, this.latest);
  }
}

type GatewayStream = { path: string; recursive: Recursive; after: number; credits: number };

const pathOf = (zxid: number): string => (zxid % 3 === 0 ? "/a/b" : "/a");

function due(
  { path, recursive, after }: Omit<GatewayStream, "credits">,
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
      slow: fc.boolean(),
    }),
    fc.record({ do: fc.constant("unsubscribe" as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant("consume" as const), which: fc.nat(20), portions: fc.nat(3) }),
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
  const gateway = new Gateway(4);
  const { client } = gateway;
  const all: { path: string; recursive: boolean; after: number; heard: string[]; end?: number }[] =
    [];
  const subscriptions: Subscription[] = [];
  for (const command of list) {
    switch (command.do) {
      case "subscribe": {
        const { path, recursive, back, slow } = command;
        const from = (client.lastZxid - back) as Zxid;
        const { heard, subscription } = client.subscribe(path, { recursive, from, slow });
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
      case "consume":
        subscriptions[command.which]?.take(command.portions);
        break;
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
  for (let round = 0; round < 100; round += 1) {
    for (const each of subscriptions) each.take();
    gateway.take();
    gateway.tellAll();
  }
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
