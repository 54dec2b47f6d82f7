/** What a client knows of its session, of the connection to a server, and of what its callers wait for. */
import { PASSWORD_BYTES } from "../../../protocol/ids.ts";
import { JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import type { Backoff } from "../../session/backoff.ts";
import type { Failure } from "../../session/messages.ts";
import type { Host, SessionEffect, SessionOptions } from "./messages.ts";
import { newRequests, type Requests } from "./requests.ts";
import { shuffled } from "./shuffled.ts";
import { newStreams, type Streams } from "./streams/state.ts";

/** The state of the connection to a server. */
export type Link =
  | { readonly kind: "none"; readonly retryAtMs: number }
  /** Asked what addresses the host has; connecting to one of them; or waiting for the answer to the handshake. */
  | {
      readonly kind: "resolving" | "dialing" | "shaking";
      readonly sinceMs: number;
      readonly host: Host;
      readonly address: string;
    }
  | OpenLink;

export type OpenLink = {
  readonly kind: "open";
  readonly address: string;
  readonly openedAtMs: number;
  /** Requests wait for the end of the login. */
  ready: boolean;
  sentAtMs: number;
  receivedAtMs: number;
  /** When each ping without an answer was sent. */
  readonly pingsAtMs: number[];
  proofsUnanswered: number;
  /** The number of the frame of the login that has no answer yet. */
  loginXid: number | undefined;
};

export type State = {
  readonly options: SessionOptions;
  /** In the order in which they are tried, in a ring. */
  readonly hosts: readonly Host[];
  nextHost: number;
  /** How many hosts are still to be tried before the client waits. */
  hostsLeft: number;
  /** Further addresses of the host that is tried. */
  addresses: readonly string[];
  /** The address of the last open connection, which is tried last. */
  lastAddress: string | undefined;
  /** 0: there is none yet. All 64 bits are the server's. */
  session: bigint;
  password: Uint8Array;
  timeoutMs: number;
  lastZxid: Zxid;
  /** A login by SASL has succeeded in this session. */
  loggedIn: boolean;
  /** How many connections were closed by the server in the middle of a login while none had succeeded. */
  loginsCut: number;
  /** When the latest frame was sent that has an answer. */
  confirmedAtMs: number;
  link: Link;
  /** The number of the current connection. What is heard of another one is ignored. */
  connection: number;
  frames: FrameReader;
  flushing: boolean;
  /** When the timer `tick` runs, if it does. */
  tickAtMs: number;
  readonly requests: Requests;
  readonly streams: Streams;
  readonly backoff: Backoff;
  /** The number of the request that closes the session, once the caller has asked for that. */
  closing: number | undefined;
  /** Why every further request fails, once the session has ended. */
  over: Failure | undefined;
  /** Why the last attempt failed, for the error message of `connect`. */
  lastProblem: string;
  readonly writer: JuteWriter;
  readonly reader: JuteReader;
};

export type Context = {
  readonly nowMs: number;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
};

export type Turn = Context & { readonly state: State; readonly effects: SessionEffect[] };

export const STREAM_CREDITS = 8192;

export function initialState(options: SessionOptions, random: () => number): State {
  return {
    options,
    hosts: shuffled(options.hosts, random),
    nextHost: 0,
    hostsLeft: options.hosts.length,
    addresses: [],
    lastAddress: undefined,
    session: 0n,
    password: new Uint8Array(PASSWORD_BYTES),
    timeoutMs: options.sessionTimeoutMs,
    lastZxid: ZXID_NONE,
    loggedIn: false,
    loginsCut: 0,
    confirmedAtMs: -Infinity,
    link: { kind: "none", retryAtMs: -Infinity },
    connection: 0,
    frames: new FrameReader(),
    flushing: false,
    tickAtMs: Infinity,
    requests: newRequests(),
    streams: newStreams(),
    backoff: { failures: 0 },
    closing: undefined,
    over: undefined,
    lastProblem: "no server answered",
    writer: new JuteWriter(),
    reader: new JuteReader(),
  };
}

export function flushSoon({ state, effects }: Turn): void {
  if (state.flushing) return;
  state.flushing = true;
  effects.push({ kind: "flushSoon" });
}

/**
 * Makes a number of the session that owns an ephemeral znode. Sessions of Apache ZooKeeper have 64 bits, of which a number keeps 53: another
 * session that would become the number of this one becomes its neighbour, so that equal means: the same session.
 */
export function ownerNumber(own: bigint, owner: bigint): number {
  const number = Number(owner);
  if (owner === own || number !== Number(own)) return number;
  return number + Number(NUMBERS_APART);
}

/** Doubles from 2^63 to 2^64 stand this far apart, and smaller ones less. */
const NUMBERS_APART = 2048n;
