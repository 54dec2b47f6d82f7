/** The change streams of a client. A stream survives reconnects: it continues after the last zxid that it has delivered. */
import { NATIVE_STREAMS_MAX } from "../../protocol/limits.ts";
import type { ClientItem, GatewayItem } from "../../protocol/native.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { SessionEffect, SessionMessage, StreamEnd, Subscribe } from "./messages.ts";

/**
 * A stream at a gateway. Subscriptions of the same znodes that stand at the same place share one, so that their changes come and are
 * decoded once.
 */
type Stream = {
  readonly number: number;
  readonly path: string;
  readonly recursive: boolean;
  readonly subscriptions: Set<number>;
  /** Every change up to this zxid has been delivered. */
  after: Zxid;
  /** The gateway has answered. Whoever subscribes from now on wants an answer too: what it asks for may be compacted. */
  answered: boolean;
  /** How many changes have been consumed since credits were last granted. */
  consumed: number;
};

export type Streams = {
  /** How many changes may be under way to one stream. */
  readonly credits: number;
  readonly byNumber: Map<number, Stream>;
  /** By path and whether they are recursive. */
  readonly alike: Map<string, Set<Stream>>;
  readonly subscriptions: Map<number, Stream>;
  next: number;
};

/** Where a stream's messages to its gateway and its subscribers go. */
export type StreamTurn = {
  readonly streams: Streams;
  /** The number of the current connection. */
  readonly connection: number;
  /** Says the item on the current connection. Without one the item is dropped: the next connection begins with `reopenStreams`. */
  readonly say: (item: ClientItem) => void;
  readonly effects: SessionEffect[];
};

export type StreamItem = Extract<
  GatewayItem,
  { readonly kind: "changes" | "compacted" | "streamRefused" }
>;

export function newStreams(credits: number): Streams {
  return { credits, byNumber: new Map(), alike: new Map(), subscriptions: new Map(), next: 1 };
}

export function subscribe(turn: StreamTurn, wish: Subscribe): void {
  const { streams } = turn;
  const { subscription } = wish;
  if (streams.subscriptions.size >= NATIVE_STREAMS_MAX) {
    endSubscriptions(turn, [subscription], { kind: "tooMany" });
    return;
  }
  const stream = unanswered(streams, wish) ?? open(turn, wish);
  stream.subscriptions.add(subscription);
  streams.subscriptions.set(subscription, stream);
}

export function unsubscribe(turn: StreamTurn, subscription: number): void {
  const stream = turn.streams.subscriptions.get(subscription);
  if (stream === undefined) return;
  turn.streams.subscriptions.delete(subscription);
  stream.subscriptions.delete(subscription);
  if (stream.subscriptions.size === 0) close(turn, stream);
}

/** What to say first on a new connection: every stream continues where it stopped. */
export function reopenStreams(streams: Streams): ClientItem[] {
  return [...streams.byNumber.values()].map((stream) => {
    stream.consumed = 0;
    return opening(stream, streams.credits);
  });
}

export function receiveStreamItem(turn: StreamTurn, item: StreamItem): void {
  const stream = turn.streams.byNumber.get(item.stream);
  if (stream === undefined) return;
  if (item.kind === "changes") {
    deliver(turn, stream, item);
    return;
  }
  remove(turn.streams, stream);
  const subscriptions = [...stream.subscriptions];
  for (const each of subscriptions) turn.streams.subscriptions.delete(each);
  const end: StreamEnd =
    item.kind === "compacted"
      ? { kind: "compacted", oldest: item.oldest }
      : { kind: "refused", code: item.code, path: stream.path };
  endSubscriptions(turn, subscriptions, end);
}

/** Grants as many changes as were consumed, once they are half of what may be under way. */
export function consumed(
  turn: StreamTurn,
  message: Extract<SessionMessage, { readonly kind: "consumed" }>,
): void {
  const { streams, connection, say } = turn;
  const stream = streams.byNumber.get(message.stream);
  // What an earlier connection carried has no claim on this one, which began with all credits.
  if (stream === undefined || message.connection !== connection) return;
  stream.consumed += message.changes;
  if (stream.consumed === 0 || stream.consumed < streams.credits / 2) return;
  say({ kind: "credit", stream: stream.number, credits: stream.consumed });
  stream.consumed = 0;
}

export function endStreams({ streams, effects }: StreamTurn, end: StreamEnd): void {
  const subscriptions = [...streams.subscriptions.keys()];
  streams.byNumber.clear();
  streams.alike.clear();
  streams.subscriptions.clear();
  if (subscriptions.length > 0) effects.push({ kind: "endSubscriptions", subscriptions, end });
}

function deliver(
  turn: StreamTurn,
  stream: Stream,
  { changes, through }: Extract<StreamItem, { readonly kind: "changes" }>,
): void {
  const { connection, effects } = turn;
  const subscriptions = [...stream.subscriptions];
  stream.after = through;
  stream.answered = true;
  const { number } = stream;
  effects.push({ kind: "deliver", stream: number, connection, subscriptions, changes, through });
  joinAnother(turn, stream);
}

function unanswered(
  { alike }: Streams,
  { path, recursive, after }: Pick<Stream, "path" | "recursive" | "after">,
): Stream | undefined {
  for (const stream of alike.get(keyOf(path, recursive)) ?? []) {
    if (!stream.answered && stream.after === after) return stream;
  }
  return undefined;
}

function open({ streams, say }: StreamTurn, { path, recursive, after }: Subscribe): Stream {
  const stream: Stream = {
    ...{ number: streams.next, path, recursive, after },
    subscriptions: new Set(),
    answered: false,
    consumed: 0,
  };
  streams.next += 1;
  streams.byNumber.set(stream.number, stream);
  const key = keyOf(path, recursive);
  const alike = streams.alike.get(key) ?? new Set<Stream>();
  streams.alike.set(key, alike.add(stream));
  say(opening(stream, streams.credits));
  return stream;
}

/** Another stream of the same znodes may stand where this one has come to. It then goes on for the subscriptions of both. */
function joinAnother(turn: StreamTurn, stream: Stream): void {
  const { streams } = turn;
  for (const other of streams.alike.get(keyOf(stream.path, stream.recursive)) ?? []) {
    if (other === stream || !other.answered || other.after !== stream.after) continue;
    for (const subscription of stream.subscriptions) {
      streams.subscriptions.set(subscription, other);
      other.subscriptions.add(subscription);
    }
    close(turn, stream);
    return;
  }
}

function close({ streams, say }: StreamTurn, stream: Stream): void {
  remove(streams, stream);
  say({ kind: "closeStream", stream: stream.number });
}

function remove({ byNumber, alike: all }: Streams, stream: Stream): void {
  byNumber.delete(stream.number);
  const key = keyOf(stream.path, stream.recursive);
  const alike = all.get(key);
  alike?.delete(stream);
  if (alike?.size === 0) all.delete(key);
}

function endSubscriptions(
  { effects }: StreamTurn,
  subscriptions: readonly number[],
  end: StreamEnd,
): void {
  effects.push({ kind: "endSubscriptions", subscriptions, end });
}

function opening({ number, path, recursive, after }: Stream, credits: number): ClientItem {
  return { kind: "openStream", stream: number, path, recursive, after, credits };
}

function keyOf(path: string, recursive: boolean): string {
  return `${recursive ? "all" : "one"} ${path}`;
}
