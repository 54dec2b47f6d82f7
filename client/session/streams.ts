/**
 * The change streams of a client. A stream survives reconnects: it continues after the last zxid that it has delivered. Subscriptions
 * of the same znodes that stand at the same place share one, so that their changes come and are decoded once.
 *
 * Each subscription has its own window: what it was delivered and has not consumed, and what the gateway may still send to its
 * stream, are together at most as many changes as a stream has credits. One that would keep the others of its stream from being sent
 * more leaves it. It rests until it has consumed half of its window, and goes on in a stream of its own.
 */
import type { Recursive } from "../../protocol/changes.ts";
import { NATIVE_STREAMS_MAX } from "../../protocol/limits.ts";
import type { ClientItem, GatewayItem } from "../../protocol/native.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { SessionEffect, SessionMessage, StreamEnd, Subscribe } from "./messages.ts";

/** A stream at a gateway. */
type Stream = {
  readonly number: number;
  readonly path: string;
  readonly recursive: Recursive;
  readonly subscriptions: Set<Subscription>;
  /** Every change up to this zxid has been delivered. */
  after: Zxid;
  /** The gateway has answered. Whoever subscribes from now on wants an answer too: what it asks for may be compacted. */
  answered: boolean;
  /** How many changes the gateway may still send. The changes of one zxid may bring it below 0. */
  credits: number;
};

type Subscription = {
  readonly number: number;
  readonly path: string;
  readonly recursive: Recursive;
  /** Undefined: it rests. */
  stream: Stream | undefined;
  /** While it rests: every change up to this zxid has been delivered to it. */
  after: Zxid;
  /** How many changes it was delivered and has not consumed. */
  unconsumed: number;
};

export type Streams = {
  /** How many changes may be under way to one subscription. */
  readonly window: number;
  readonly byNumber: Map<number, Stream>;
  /** By path and by which znodes beside it they follow. */
  readonly alike: Map<string, Set<Stream>>;
  readonly subscriptions: Map<number, Subscription>;
  next: number;
};

/** Where a stream's messages to its gateway and its subscribers go. */
export type StreamTurn = {
  readonly streams: Streams;
  /** Says the item on the current connection. Without one the item is dropped: the next connection begins with `reopenStreams`. */
  readonly say: (item: ClientItem) => void;
  readonly effects: SessionEffect[];
};

export type StreamItem = Extract<
  GatewayItem,
  { readonly kind: "changes" | "compacted" | "streamRefused" }
>;

/** Credits are granted when at least this share of the window can be. */
const GRANTED_SHARE = 1 / 2;
/** When no more than this share of the window is left to a stream, those that keep it from being granted more leave it. */
const SCARCE_SHARE = 1 / 4;

export function newStreams(window: number): Streams {
  return { window, byNumber: new Map(), alike: new Map(), subscriptions: new Map(), next: 1 };
}

export function subscribe(turn: StreamTurn, wish: Subscribe): void {
  const { streams } = turn;
  const { subscription: number, path, recursive, after } = wish;
  if (streams.subscriptions.size >= NATIVE_STREAMS_MAX) {
    endSubscriptions(turn, [number], { kind: "tooMany" });
    return;
  }
  const subscription = { number, path, recursive, stream: undefined, after, unconsumed: 0 };
  streams.subscriptions.set(number, subscription);
  goOn(turn, subscription);
}

export function unsubscribe(turn: StreamTurn, number: number): void {
  const { subscriptions } = turn.streams;
  const subscription = subscriptions.get(number);
  if (subscription === undefined) return;
  subscriptions.delete(number);
  const { stream } = subscription;
  stream?.subscriptions.delete(subscription);
  if (stream?.subscriptions.size === 0) close(turn, stream);
  else if (stream !== undefined) grant(turn, stream);
}

/** What to say first on a new connection: every stream continues where it stopped. */
export function reopenStreams({ byNumber, window }: Streams): ClientItem[] {
  return [...byNumber.values()].map((stream) => {
    // What the earlier connection would still have carried is not under way any more.
    stream.credits = Math.max(0, window - mostOf(stream));
    return opening(stream);
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
  const subscriptions = numbersOf(stream);
  for (const each of subscriptions) turn.streams.subscriptions.delete(each);
  const end: StreamEnd =
    item.kind === "compacted"
      ? { kind: "compacted", oldest: item.oldest }
      : { kind: "refused", code: item.code, path: stream.path };
  endSubscriptions(turn, subscriptions, end);
}

/** These subscriptions have done with a portion of so many changes. */
export function consumed(
  turn: StreamTurn,
  { subscriptions, changes }: Extract<SessionMessage, { readonly kind: "consumed" }>,
): void {
  const { streams } = turn;
  const eased = new Set<Stream>();
  for (const number of subscriptions) {
    const subscription = streams.subscriptions.get(number);
    if (subscription === undefined) continue;
    subscription.unconsumed -= changes;
    const { stream } = subscription;
    if (stream !== undefined) eased.add(stream);
    else if (hasRested(subscription, streams.window)) goOn(turn, subscription, true);
  }
  for (const stream of eased) {
    if (!joinAnother(turn, stream)) grant(turn, stream);
  }
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
  stream.after = through;
  stream.answered = true;
  stream.credits -= changes.length;
  for (const each of stream.subscriptions) each.unconsumed += changes.length;
  turn.effects.push({ kind: "deliver", subscriptions: numbersOf(stream), changes, through });
  joinAnother(turn, stream);
}

/** Grants as much as the slowest subscription has space for, once that is half of the window. */
function grant(turn: StreamTurn, stream: Stream): void {
  const { window } = turn.streams;
  if (isHeldUp(stream, window)) letGo(stream, window);
  const credits = window - stream.credits - mostOf(stream);
  if (credits <= 0 || credits < window * GRANTED_SHARE) return;
  stream.credits += credits;
  turn.say({ kind: "credit", stream: stream.number, credits });
}

/** Little is left to the stream, and the slowest subscription has no space for more, while another has. */
function isHeldUp(stream: Stream, window: number): boolean {
  if (stream.credits > window * SCARCE_SHARE) return false;
  let hasSlow = false;
  let hasFast = false;
  for (const each of stream.subscriptions) {
    if (isSlow(each, stream, window)) hasSlow = true;
    else hasFast = true;
  }
  return hasSlow && hasFast;
}

/** Those that are slow leave the stream and rest. */
function letGo(stream: Stream, window: number): void {
  for (const each of stream.subscriptions) {
    if (!isSlow(each, stream, window)) continue;
    stream.subscriptions.delete(each);
    each.stream = undefined;
    each.after = stream.after;
  }
}

/** Whether the subscription keeps the stream from being granted more. */
function isSlow({ unconsumed }: Subscription, { credits }: Stream, window: number): boolean {
  return window - credits - unconsumed < window * GRANTED_SHARE;
}

function hasRested({ unconsumed }: Subscription, window: number): boolean {
  return unconsumed <= window * GRANTED_SHARE;
}

function mostOf({ subscriptions }: Stream): number {
  let most = 0;
  for (const { unconsumed } of subscriptions) most = Math.max(most, unconsumed);
  return most;
}

/** The subscription is new, which wants an answer of its own, or has rested. */
function goOn(turn: StreamTurn, subscription: Subscription, isRested = false): void {
  const { streams } = turn;
  const { path, recursive, after, unconsumed } = subscription;
  const alike = [...(streams.alike.get(keyOf(path, recursive)) ?? [])];
  const there = alike.find((stream) => {
    const stands = stream.after === after && (isRested || !stream.answered);
    // It can take all that may still be sent to the stream.
    return stands && unconsumed + stream.credits <= streams.window;
  });
  const stream = there ?? open(turn, subscription);
  stream.subscriptions.add(subscription);
  subscription.stream = stream;
  if (there !== undefined) grant(turn, there);
}

function open(
  { streams, say }: StreamTurn,
  { path, recursive, after, unconsumed }: Subscription,
): Stream {
  const stream: Stream = {
    ...{ number: streams.next, path, recursive, after },
    subscriptions: new Set(),
    answered: false,
    credits: streams.window - unconsumed,
  };
  streams.next += 1;
  streams.byNumber.set(stream.number, stream);
  const key = keyOf(path, recursive);
  const alike = streams.alike.get(key) ?? new Set<Stream>();
  streams.alike.set(key, alike.add(stream));
  say(opening(stream));
  return stream;
}

/**
 * Another stream of the same znodes may stand where this one has come to. It then goes on for the subscriptions of both, unless these
 * would soon have to leave it. Returns whether the stream is closed now.
 */
function joinAnother(turn: StreamTurn, stream: Stream): boolean {
  const { streams } = turn;
  const { window } = streams;
  const alike = streams.alike.get(keyOf(stream.path, stream.recursive));
  if (alike === undefined || alike.size < 2) return false;
  for (const other of alike) {
    if (other === stream || !other.answered || other.after !== stream.after) continue;
    const most = mostOf(stream);
    if (most > window * SCARCE_SHARE || most + other.credits > window) continue;
    for (const subscription of stream.subscriptions) {
      subscription.stream = other;
      other.subscriptions.add(subscription);
    }
    close(turn, stream);
    grant(turn, other);
    return true;
  }
  return false;
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

function opening({ number, path, recursive, after, credits }: Stream): ClientItem {
  return { kind: "openStream", stream: number, path, recursive, after, credits };
}

function numbersOf({ subscriptions }: Stream): number[] {
  return Array.from(subscriptions, ({ number }) => number);
}

function keyOf(path: string, recursive: Recursive): string {
  return `${recursive} ${path}`;
}
