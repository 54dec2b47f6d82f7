/** What a client proves on each connection before it asks for anything: its identities of the scheme `digest`, and its login by SASL. */
import { Code } from "../../../protocol/codes.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { ReplyHeader } from "../../../protocol/zookeeper/client-replies.ts";
import { writeAuth } from "../../../protocol/zookeeper/client-requests.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import { end } from "./end.ts";
import type { LoginStep } from "./messages.ts";
import { takeXid } from "./requests.ts";
import { flushSoon, type OpenLink, type Turn } from "./state.ts";
import { resumeStreams } from "./streams/streams.ts";

/** Requests wait for the answers, so that who is refused does not ask as somebody else. */
export function beginLogin(turn: Turn, link: OpenLink): void {
  const { state, effects } = turn;
  const { options, writer, connection } = state;
  const frames = options.proofs.map((proof) => {
    writeAuth(writer, "digest", proof);
    return writer.take();
  });
  link.proofsUnanswered = frames.length;
  if (frames.length > 0) effects.push({ kind: "send", connection, frames });
  else proved(turn, link);
}

const NOTHING = new Uint8Array(0);

function say({ state, effects, nowMs }: Turn, link: OpenLink, token: Uint8Array): void {
  const { writer, requests, connection } = state;
  const xid = takeXid(requests);
  const mark = writer.beginFrame();
  writer.int32(xid).int32(OpCode.sasl).buffer(token);
  writer.endFrame(mark);
  link.loginXid = xid;
  link.sentAtMs = nowMs;
  effects.push({ kind: "send", connection, frames: [writer.take()] });
}

/** Takes the answer to a proof. */
export function proofAnswered(turn: Turn, link: OpenLink, { code }: ReplyHeader): void {
  if (code !== Code.ok) {
    const message =
      "the ensemble does not take these identities: it has no digests, or they are too many or too long";
    return end(turn, { kind: "unreachable", message });
  }
  link.proofsUnanswered -= 1;
  if (link.proofsUnanswered === 0) proved(turn, link);
}

function proved(turn: Turn, link: OpenLink): void {
  if (turn.state.options.sasl) say(turn, link, NOTHING);
  else ready(turn, link);
}

/** Takes the server's part of the login. */
export function loginAnswered(turn: Turn, link: OpenLink, { code }: ReplyHeader): void {
  const { state, effects } = turn;
  link.loginXid = undefined;
  const challenge = state.reader.buffer();
  if (code !== Code.ok) return refused(turn, "the server refuses the user or the password");
  if (challenge === null) return refused(turn, "the server has no users for SASL");
  const { connection } = state;
  effects.push({ kind: "solve", connection, challenge: new Uint8Array(challenge) });
}

/** Takes what to say next. */
export function loginSolved(turn: Turn, link: OpenLink, step: LoginStep): void {
  if (step.kind === "failed") refused(turn, step.reason);
  else if (step.kind === "token") say(turn, link, step.token);
  else ready(turn, link);
}

/**
 * The connection has ended. ZooKeeper 3.4 closes it over a wrong login without a word, as it does when it dies. So that is believed the third
 * time only, and never of a client that has logged in before. Returns whether the session is over.
 */
export function refusedInSilence(turn: Turn, { loginXid }: OpenLink): boolean {
  const { state } = turn;
  if (loginXid === undefined || state.loggedIn) return false;
  state.loginsCut += 1;
  if (state.loginsCut < LOGINS_CUT_MAX) return false;
  const often = `${LOGINS_CUT_MAX} connections were closed in the middle of it`;
  refused(turn, `${often}; ZooKeeper 3.4 does so when the user or the password is wrong`);
  return true;
}

const LOGINS_CUT_MAX = 3;

function refused(turn: Turn, reason: string): void {
  end(turn, { kind: "unreachable", message: `the login by SASL failed: ${reason}` });
}

/** Requests may be sent from now on. */
function ready(turn: Turn, link: OpenLink): void {
  const { state, effects } = turn;
  const { timeoutMs } = state;
  const session = Number(state.session) as SessionId;
  link.ready = true;
  state.loggedIn ||= state.options.sasl;
  effects.push({
    kind: "stateChanged",
    state: { kind: "connected", session, timeoutMs, address: link.address },
  });
  resumeStreams(turn);
  flushSoon(turn);
}
