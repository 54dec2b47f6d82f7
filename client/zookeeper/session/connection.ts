/**
 * A session's connection to one of the servers: it is opened at any of them, kept alive by pings, and given up when the server is silent.
 * Another one follows, at another server if there is one. The attempt at one address is bounded in time.
 */
import { readConnectResponse } from "../../../protocol/zookeeper/client-replies.ts";
import { writeConnectRequest, writeHeader } from "../../../protocol/zookeeper/client-requests.ts";
import { OpCode, Xid } from "../../../protocol/zookeeper/codes.ts";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import { waitAfterLoss } from "../../session/backoff.ts";
import { loseCalls } from "./doubts.ts";
import { end } from "./end.ts";
import { beginLogin, refusedInSilence } from "./login.ts";
import type { ChannelEvent, Host } from "./messages.ts";
import { takeUnderWay } from "./requests.ts";
import { shuffled } from "./shuffled.ts";
import type { OpenLink, State, Turn } from "./state.ts";
import { loseStreams } from "./streams/streams.ts";

/** An attempt is given up after this time, or after a third of the session timeout if that is shorter. */
const ATTEMPT_MS = 3_000;

type Attempt = Exclude<State["link"], OpenLink | { readonly kind: "none" }>;

export function openIfDue(turn: Turn): void {
  const { state, nowMs } = turn;
  const { link, over } = state;
  if (over === undefined && link.kind === "none" && nowMs >= link.retryAtMs) tryNext(turn);
}

/** Tries the next address of the host, or the next host. When all have failed, the client waits. */
function tryNext(turn: Turn): void {
  const { state, nowMs, effects, random } = turn;
  state.connection += 1;
  const { connection } = state;
  const { link } = state;
  const [address, ...addresses] = state.addresses;
  if (address !== undefined && link.kind !== "none" && link.kind !== "open") {
    state.addresses = addresses;
    const { host } = link;
    state.link = { kind: "dialing", sinceMs: nowMs, host, address };
    effects.push({ kind: "dial", connection, host: host.host, address, port: host.port });
    return;
  }
  if (state.hostsLeft === 0) {
    const { backoff, timeoutMs: sessionTimeoutMs } = state;
    const waitMs = waitAfterLoss(backoff, { openMs: 0, sessionTimeoutMs, random });
    state.hostsLeft = state.hosts.length;
    state.link = { kind: "none", retryAtMs: nowMs + waitMs };
    if (waitMs > 0) return;
  }
  const host = state.hosts[state.nextHost] as Host;
  state.nextHost = (state.nextHost + 1) % state.hosts.length;
  state.hostsLeft -= 1;
  state.link = { kind: "resolving", sinceMs: nowMs, host, address: host.host };
  effects.push({ kind: "resolve", connection, host: host.host });
}

/** Takes what the channel says of an attempt, or that the connection has ended. What it says of an older one is ignored. */
export function happened(
  turn: Turn,
  event: Extract<ChannelEvent, { readonly kind: "resolved" | "opened" | "gone" }>,
): void {
  const { state, random, nowMs } = turn;
  const { link } = state;
  if (event.connection !== state.connection || link.kind === "none") return;
  switch (event.kind) {
    case "resolved": {
      if (link.kind !== "resolving") return;
      const addresses = shuffled(event.addresses, random);
      const isLast = (address: string): boolean => address === state.lastAddress;
      state.addresses = [...addresses.filter((each) => !isLast(each)), ...addresses.filter(isLast)];
      if (addresses.length === 0) attemptFailed(turn, link, "its name stands for no address");
      else tryNext(turn);
      return;
    }
    case "opened":
      if (link.kind !== "dialing") return;
      state.link = { ...link, kind: "shaking", sinceMs: nowMs };
      state.frames = new FrameReader();
      greet(turn);
      return;
    case "gone":
      if (link.kind === "open") {
        if (!refusedInSilence(turn, link)) lost(turn, event.reason);
        return;
      }
      attemptFailed(turn, link, goneBecause(link, event.reason));
      return;
    default:
      event satisfies never;
  }
}

/** A server says nothing to whom it does not serve. */
function goneBecause({ kind }: Attempt, reason: string): string {
  if (kind !== "shaking") return reason;
  return `${reason}; it serves nobody now, or lags behind what this session has seen`;
}

function greet({ state, effects }: Turn): void {
  const { lastZxid, options, session, password, writer, connection } = state;
  writeConnectRequest(writer, {
    ...{ lastZxidSeen: lastZxid, timeoutMs: options.sessionTimeoutMs, session, password },
    canBeReadOnly: false,
  });
  effects.push({ kind: "send", connection, frames: [writer.take()] });
}

function attemptFailed(turn: Turn, { host, address }: Attempt, reason: string): void {
  const { state, effects } = turn;
  const { connection } = state;
  state.lastProblem = `${shownAddress(host, address)}: ${reason}`;
  effects.push({ kind: "hangUp", connection });
  tryNext(turn);
}

export function shownAddress({ host, port }: Host, address: string): string {
  const shown = address.includes(":") ? `[${address}]` : address;
  return address === host ? `${shown}:${port}` : `${host} (${shown}:${port})`;
}

/** Takes the answer to the handshake. */
export function greeted(turn: Turn, link: Attempt): void {
  const { state, nowMs } = turn;
  const { host, address, sinceMs } = link;
  const { reader } = state;
  const grant = readConnectResponse(reader);
  if (reader.fault !== undefined) {
    return attemptFailed(turn, link, "its answer to the handshake is none of ZooKeeper's");
  }
  if (grant.session === 0n || grant.timeoutMs <= 0) {
    if (state.session === 0n) return attemptFailed(turn, link, "it grants no session");
    return end(turn, { kind: "expired" });
  }
  if (grant.readOnly) return attemptFailed(turn, link, "it has no quorum and only reads");
  state.session = grant.session;
  state.password = grant.password;
  state.timeoutMs = grant.timeoutMs;
  state.confirmedAtMs = sinceMs;
  state.lastAddress = address;
  state.addresses = [];
  state.link = {
    ...{ kind: "open", address: shownAddress(host, address), openedAtMs: nowMs, ready: false },
    ...{ sentAtMs: nowMs, receivedAtMs: nowMs, pingsAtMs: [] },
    ...{ proofsUnanswered: 0, loginXid: undefined },
  };
  beginLogin(turn, state.link);
}

/** Notes that the connection is lost, and begins with the next host: another one, if there is another. */
export function lost(turn: Turn, reason: string): void {
  const { state, nowMs, random, effects } = turn;
  const { link, backoff, connection, requests, timeoutMs: sessionTimeoutMs } = state;
  if (state.over !== undefined || link.kind !== "open") return;
  const openMs = nowMs - link.openedAtMs;
  const waitMs = waitAfterLoss(backoff, { openMs, sessionTimeoutMs, random });
  effects.push({ kind: "hangUp", connection });
  state.connection += 1;
  state.addresses = [];
  state.hostsLeft = state.hosts.length;
  state.link = { kind: "none", retryAtMs: nowMs + waitMs };
  state.lastProblem = `${link.address}: ${reason}`;
  loseCalls(turn, takeUnderWay(requests), reason);
  loseStreams(turn);
  const { failures } = backoff;
  effects.push({ kind: "stateChanged", state: { kind: "reconnecting", reason, failures } });
  openIfDue(turn);
}

/** Looks whether the connection is to be opened, given up, or kept alive. */
export function tend(turn: Turn): void {
  const { state, nowMs } = turn;
  const { link, timeoutMs } = state;
  if (link.kind === "none") {
    openIfDue(turn);
  } else if (link.kind !== "open") {
    if (nowMs - link.sinceMs >= attemptMs(state)) attemptFailed(turn, link, "no answer in time");
  } else if (nowMs - link.receivedAtMs >= (timeoutMs * 2) / 3) {
    lost(turn, "the server is silent");
  } else if (nowMs >= pingAtMs(link, timeoutMs)) {
    ping(turn, link);
  }
}

/** When `tend` has something to do next. */
export function tendAtMs(state: State): number {
  const { link, timeoutMs } = state;
  if (link.kind === "none") return link.retryAtMs;
  if (link.kind !== "open") return link.sinceMs + attemptMs(state);
  return Math.min(link.receivedAtMs + (timeoutMs * 2) / 3, pingAtMs(link, timeoutMs));
}

function attemptMs({ timeoutMs }: State): number {
  return Math.min(ATTEMPT_MS, timeoutMs / 3);
}

/** The server is to hear of the session within each third of its timeout, and the client of the server. */
function pingAtMs({ sentAtMs, receivedAtMs, pingsAtMs }: OpenLink, timeoutMs: number): number {
  const heardAtMs = Math.max(receivedAtMs, pingsAtMs.at(-1) ?? -Infinity);
  return Math.min(sentAtMs, heardAtMs) + timeoutMs / 3;
}

function ping({ state, nowMs, effects }: Turn, link: OpenLink): void {
  const { writer, connection } = state;
  writeHeader(writer, Xid.ping, OpCode.ping);
  effects.push({ kind: "send", connection, frames: [writer.take()] });
  link.pingsAtMs.push(nowMs);
  link.sentAtMs = nowMs;
}

/** Frames that were sent at that time have been answered: the ensemble has heard of the session since. */
export function confirmed(state: State, sentAtMs: number): void {
  state.confirmedAtMs = Math.max(state.confirmedAtMs, sentAtMs);
}
