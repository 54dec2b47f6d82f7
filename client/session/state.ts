/** What a client knows of its session, of the connection to a gateway, and of what its callers wait for. */
import { PASSWORD_BYTES, SESSION_NONE, type SessionId } from "../../protocol/ids.ts";
import type { ClientItem } from "../../protocol/native.ts";
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { Backoff } from "./backoff.ts";
import type { Failure, SessionEffect, SessionOptions } from "./messages.ts";
import { newRequests, type Requests } from "./requests.ts";
import { newStreams, type Streams } from "./streams.ts";

/** The state of the connection to a gateway. */
export type Link =
  | { readonly kind: "none"; readonly retryAtMs: number }
  | { readonly kind: "opening"; readonly sinceMs: number }
  | OpenLink;

export type OpenLink = {
  readonly kind: "open";
  readonly subject: string;
  readonly openedAtMs: number;
  receivedAtMs: number;
  pingedAtMs: number;
  /** When the pings were sent that have no answer yet, oldest first. */
  readonly pings: number[];
};

export type State = {
  readonly options: SessionOptions;
  /** There is a connection to NATS. */
  up: boolean;
  session: SessionId;
  password: Uint8Array;
  timeoutMs: number;
  /** Until then the ensemble has certainly not ended the session. */
  validUntilMs: number;
  lastZxid: Zxid;
  link: Link;
  /** The number of the current connection. Its inbox ends with it, which tells frames of older connections apart. */
  connection: number;
  sentSequence: number;
  receivedSequence: number;
  /** Bytes that were received and not yet acknowledged to the gateway. */
  unacknowledgedBytes: number;
  /** What waits for the end of the turn, beside requests. */
  items: ClientItem[];
  flushing: boolean;
  readonly requests: Requests;
  readonly streams: Streams;
  readonly backoff: Backoff;
  /** The number of the request that closes the session, once the caller has asked for that. */
  closing: number | undefined;
  /** Why every further request fails, once the session has ended. */
  over: Failure | undefined;
  /** Why the last attempt failed, for the error message of `connect`. */
  lastProblem: string;
};

export type Context = {
  readonly nowMs: number;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
};

export type Turn = Context & { readonly state: State; readonly effects: SessionEffect[] };

const STREAM_CREDITS = 8192;

/** `up`: there is a connection to NATS already. */
export function initialState(options: SessionOptions, up: boolean): State {
  const { sessionTimeoutMs, operationTimeoutMs, streamCredits = STREAM_CREDITS } = options;
  return {
    options,
    up,
    session: SESSION_NONE,
    password: new Uint8Array(PASSWORD_BYTES),
    timeoutMs: sessionTimeoutMs,
    validUntilMs: -Infinity,
    lastZxid: ZXID_NONE,
    link: { kind: "none", retryAtMs: -Infinity },
    connection: 0,
    sentSequence: 0,
    receivedSequence: 0,
    unacknowledgedBytes: 0,
    items: [],
    flushing: false,
    requests: newRequests(operationTimeoutMs),
    streams: newStreams(streamCredits),
    backoff: { failures: 0 },
    closing: undefined,
    over: undefined,
    lastProblem: "no gateway answered",
  };
}

/** The item is said at the end of the turn. Without a connection it is dropped: the next one begins with all streams. */
export function sendSoon(turn: Turn, item: ClientItem): void {
  if (turn.state.link.kind !== "open") return;
  turn.state.items.push(item);
  flushSoon(turn);
}

export function flushSoon({ state, effects }: Turn): void {
  if (state.flushing) return;
  state.flushing = true;
  effects.push({ kind: "flushSoon" });
}
