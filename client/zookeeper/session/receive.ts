/** Takes what a server sends: the answer to the handshake, answers to requests in their order, pings, and events of watches. */
import { Code } from "../../../protocol/codes.ts";
import {
  readReplyHeader,
  readWatchEvent,
  type ReplyHeader,
} from "../../../protocol/zookeeper/client-replies.ts";
import { Xid } from "../../../protocol/zookeeper/codes.ts";
import { readReply } from "./asks.ts";
import { callAnswered } from "./calls.ts";
import { confirmed, greeted, lost } from "./connection.ts";
import { loginAnswered, proofAnswered } from "./login.ts";
import { learn, takeAnswered } from "./requests.ts";
import { flushSoon, type OpenLink, ownerNumber, type Turn } from "./state.ts";
import { streamAnswered, watchFired, planProgress } from "./streams/streams.ts";

/** A longer answer is none of ZooKeeper's. */
const ANSWER_BYTES_MAX: number = 256 * 1024 * 1024;

export function receiveBytes(turn: Turn, bytes: Uint8Array): void {
  const { state, nowMs } = turn;
  const { connection, frames, reader } = state;
  if (state.link.kind === "open") state.link.receivedAtMs = nowMs;
  frames.push(bytes);
  for (;;) {
    const frame = frames.next(ANSWER_BYTES_MAX);
    if (frame === undefined) break;
    const { link } = state;
    if (frame.kind === "badLength") {
      if (link.kind === "open") lost(turn, "its answer is none of ZooKeeper's");
      return;
    }
    reader.reset(frame.bytes, frame.from, frame.to);
    if (link.kind === "shaking") greeted(turn, link);
    else if (link.kind === "open") receiveFrame(turn, link);
    // The frame may have ended the connection.
    if (state.connection !== connection || state.over !== undefined) return;
  }
  frames.settle();
}

function receiveFrame(turn: Turn, link: OpenLink): void {
  const { state } = turn;
  const { reader } = state;
  const header = readReplyHeader(reader);
  switch (header.xid) {
    case Xid.watchEvent:
      watchFired(turn, { ...readWatchEvent(reader), zxid: header.zxid });
      break;
    case Xid.ping: {
      const sentAtMs = link.pingsAtMs.shift();
      if (sentAtMs !== undefined) confirmed(state, sentAtMs);
      break;
    }
    case Xid.auth:
      proofAnswered(turn, link, header);
      break;
    case Xid.setWatches:
      break;
    case link.loginXid:
      loginAnswered(turn, link, header);
      break;
    default:
      return answered(turn, header);
  }
  if (reader.fault !== undefined) lost(turn, "its answer is none of ZooKeeper's");
}

function answered(turn: Turn, header: ReplyHeader): void {
  const { state } = turn;
  const { reader, requests, session } = state;
  const pending = takeAnswered(requests, header.xid);
  if (pending === undefined) return lost(turn, "it answered what was not asked");
  const reply = readReply(reader, pending.ask, header, (owner) => ownerNumber(session, owner));
  if (reader.fault !== undefined) {
    requests.underWay.set(header.xid, pending);
    return lost(turn, "its answer is none of ZooKeeper's");
  }
  if (reply.kind === "error" && reply.code === Code.sessionMoved) {
    // The request was refused and certainly not done, so the next connection may send it again.
    if (pending.purpose.kind === "call") pending.purpose.call.maybeApplied = "no";
    requests.waiting.unshift(pending);
    return lost(turn, "the session was moved to another server");
  }
  confirmed(state, pending.sentAtMs);
  saw(turn, header);
  const closes = learn(requests, pending.ask, reply);
  if (pending.purpose.kind === "call") callAnswered(turn, pending, reply, header.zxid);
  else streamAnswered(turn, pending.purpose.asked, reply, header.zxid);
  // What is waiting may now be allowed.
  if (requests.waiting.length > 0) flushSoon(turn);
  if (closes)
    lost(turn, "the server does not know a newer request, and ends the connection over it");
}

/** A ping may name the end of a batch whose writes are answered next, so only answers count. */
function saw(turn: Turn, { zxid }: ReplyHeader): void {
  const { state, effects } = turn;
  if (zxid <= state.lastZxid) return;
  state.lastZxid = zxid;
  effects.push({ kind: "saw", zxid });
  planProgress(turn);
  if (state.streams.ahead.size > 0) flushSoon(turn);
}
