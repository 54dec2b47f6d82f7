/**
 * Sees what passes between a client over ZooKeeper's protocol and its servers, and holds it against the truth: what each connection asks,
 * and what it is answered. It decides nothing.
 */
import { Code } from "../../../../protocol/codes.ts";
import { JuteReader } from "../../../../protocol/jute.ts";
import {
  readReplyHeader,
  readWatchEvent,
  type ReplyHeader,
} from "../../../../protocol/zookeeper/client-replies.ts";
import { OpCode, Xid } from "../../../../protocol/zookeeper/codes.ts";
import { FrameReader } from "../../../../protocol/zookeeper/frames.ts";
import { readConnectRequest } from "../../../../protocol/zookeeper/handshake.ts";
import { readRequest } from "../../../../protocol/zookeeper/requests.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../../protocol/zxid.ts";
import { newAttachment, sameBytes, send } from "../../checks/truth.ts";
import { must } from "../../checks/violation.ts";
import type { Link } from "../../links.ts";
import { asked, type Connection, type Pending, type Session } from "../connection.ts";
import type { ClientEnvironment } from "../environment.ts";
import { AUTH_XID, type SimWho } from "../identities.ts";
import {
  type Asking,
  checkCommitted,
  checkInOrder,
  checkReadReply,
  checkWritten,
  oldestAsked,
} from "../replies.ts";
import { readConnectReply, readReplyBody, type ReplyBody, type SimRequest } from "../wire.ts";

/** A request on a connection, and its answer. */
export type Said = Pending & {
  readonly connection: Connection;
  answer: { readonly header: ReplyHeader; readonly body: ReplyBody } | undefined;
};

export type WitnessOptions = {
  readonly name: string;
  readonly who: SimWho;
  readonly environment: ClientEnvironment;
  /** What the client's user knows. */
  readonly user: {
    readonly lastZxid: () => Zxid;
    readonly session: () => Session | undefined;
    /** A server has given the client this session. */
    readonly granted: (session: Session) => void;
    /** The client asks for this write. */
    readonly says: (said: Said) => void;
    /** An answer was heard that says that the session is alive. */
    readonly isAlive: () => void;
  };
};

const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const LENGTH_BYTES = 4;
/** A server is to hear of a session within each third of its timeout; clocks change their rates while timers run. */
const SILENCE_SHARE = 0.35;
const SLACK_MS = 5;

export class ZooKeeperWitness {
  readonly #options: WitnessOptions;
  readonly #reader = new JuteReader();
  #connection: Connection | undefined;
  #hasGreeted = false;
  /** The latest zxid of an answer, over all connections of the session. */
  #lastZxid: Zxid = ZXID_NONE;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** The connection that the client has, or tries. */
  get current(): Connection | undefined {
    return this.#connection;
  }

  dialed(link: Link, node: number): void {
    const { name, who, environment } = this.#options;
    const [nowMs, askedMs] = [environment.clock.nowMs(), environment.trueMs()];
    this.#hasGreeted = false;
    this.#connection = {
      ...{ link, node, frames: new FrameReader(), attachment: newAttachment(name, who) },
      ...{ pending: [], pingsMs: [], grantedMs: undefined },
      answer: { askedMs, writtenMs: askedMs, heardMs: askedMs },
      ...{ attached: false, readOnly: false, unansweredMax: 0, heardMs: nowMs, sentMs: nowMs },
    };
  }

  /** The session is over. */
  forgets(): void {
    this.#connection = undefined;
    this.#lastZxid = ZXID_NONE;
  }

  /** The client sends these frames. */
  says(frames: readonly Uint8Array[]): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const frame of frames) {
      this.#reader.reset(frame as Buffer, LENGTH_BYTES, frame.length);
      if (this.#hasGreeted) this.#saysRequest(connection);
      else this.#greets(connection);
    }
    this.#checkSilence(connection);
    connection.sentMs = this.#options.environment.clock.nowMs();
  }

  hears(bytes: Uint8Array, writtenMs: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { name, environment } = this.#options;
    const { frames, answer } = connection;
    answer.writtenMs = writtenMs;
    answer.heardMs = environment.trueMs();
    this.#checkSilence(connection);
    frames.push(bytes);
    for (let frame = frames.next(FRAME_BYTES_MAX); frame !== undefined; ) {
      must(frame.kind === "frame", "protocol", () => `${name}: a frame of a bad length`);
      this.#reader.reset(frame.bytes, frame.from, frame.to);
      if (connection.attached) this.#hearsReply(connection);
      else this.#isGranted(connection);
      frame = frames.next(FRAME_BYTES_MAX);
    }
    frames.settle();
  }

  get #asking(): Asking {
    const { name, environment, user } = this.#options;
    return { name, session: user.session(), environment };
  }

  #checkSilence({ attached, sentMs }: Connection): void {
    const { name, environment, user } = this.#options;
    const { timeoutMs = 0 } = user.session() ?? {};
    if (!attached) return;
    const silentMs = environment.clock.nowMs() - sentMs;
    must(silentMs <= timeoutMs * SILENCE_SHARE + SLACK_MS, "session safety", () => {
      return `${name}: says nothing for ${silentMs.toFixed(0)} ms, with a timeout of ${timeoutMs}`;
    });
  }

  /** The client asks for the session that it has, and says what it has seen: a server that has not seen as much is to refuse it. */
  #greets({ link }: Connection): void {
    const { name, environment, user } = this.#options;
    this.#hasGreeted = true;
    const greeting = readConnectRequest(this.#reader);
    must(greeting.kind === "connect", "protocol", () => `${name}: its handshake is malformed`);
    const known = user.session();
    const { session, lastZxidSeen, password } = greeting;
    must(session === (known?.id ?? 0), "protocol", () => {
      return `${name}: asks for session 0x${session.toString(16)}, it has 0x${known?.id.toString(16)}`;
    });
    const isIts = known === undefined || sameBytes(password, known.password);
    must(isIts, "passwords", () => `${name}: has another password`);
    const seen = user.lastZxid();
    must(lastZxidSeen === seen, "monotone reads", () => {
      return `${name}: says that it has seen ${formatZxid(lastZxidSeen as Zxid)}, it has seen ${formatZxid(seen)}`;
    });
    if (known !== undefined) environment.truth.asksFor(known.id);
    environment.trace.note(name, `connection ${link.number}`);
  }

  #isGranted(connection: Connection): void {
    const { name, environment, user } = this.#options;
    const { session, password, timeoutMs, readOnly } = readConnectReply(this.#reader);
    if (session === 0) return;
    must(!readOnly, "read-only", () => {
      return `${name}: a node that only reads serves it, and it did not ask for that`;
    });
    const known = user.session();
    must((known?.id ?? session) === session, "protocol", () => `${name}: another session`);
    if (known === undefined) environment.counts.sessions += 1;
    connection.attached = true;
    connection.sentMs = environment.clock.nowMs();
    environment.truth.knows(session);
    user.granted({ id: session, password: Uint8Array.from(password), timeoutMs });
  }

  #saysRequest(connection: Connection): void {
    const { name, environment, user } = this.#options;
    const request = readRequest(this.#reader);
    must(connection.attached, "protocol", () => `${name}: says a ${request.kind} too early`);
    switch (request.kind) {
      case "ping":
        connection.pingsMs.push(environment.trueMs());
        return;
      case "auth":
        return;
      case "read":
      case "write":
      case "whoAmI":
        break;
      default:
        return must(false, "protocol", () => `${name}: says a ${request.kind}`);
    }
    const { attachment, link, pending } = connection;
    const said: Said = {
      ...{ xid: request.xid, request: asSimRequest(request, name) },
      after: environment.truth.acknowledged,
      toldBefore: link.toldClients.zxid,
      place: attachment.sent.length,
      askedMs: environment.trueMs(),
      ...{ onAnswer: undefined, connection, answer: undefined },
    };
    pending.push(said);
    if (said.request.kind !== "write") return;
    send(attachment, said.request.operation);
    user.says(said);
  }

  #hearsReply(connection: Connection): void {
    const { environment, user } = this.#options;
    const header = readReplyHeader(this.#reader);
    const { xid, code } = header;
    checkCommitted(this.#asking, header);
    switch (xid) {
      case Xid.watchEvent:
        readWatchEvent(this.#reader);
        environment.counts.events += 1;
        return;
      case Xid.ping:
        asked(connection, connection.pingsMs.shift());
        user.isAlive();
        return;
      case AUTH_XID:
        must(code === Code.ok, "identities", () => `${this.#options.name}: code ${code}`);
        return;
      default:
        break;
    }
    checkInOrder(this.#asking, connection, header, this.#lastZxid);
    this.#lastZxid = header.zxid;
    const said = oldestAsked(this.#asking, connection, header) as Said;
    const { request } = said;
    const body = readReplyBody(this.#reader, request, header);
    said.answer = { header, body };
    if (code !== Code.sessionExpired && code !== Code.sessionMoved) user.isAlive();
    if (request.kind === "write") checkWritten(this.#asking, connection, said, said.answer);
    else if (request.kind !== "watcher") {
      checkReadReply({ ...this.#asking, who: this.#options.who }, said, said.answer);
    }
  }
}

function asSimRequest(
  request: Extract<ReturnType<typeof readRequest>, { readonly kind: "read" | "write" | "whoAmI" }>,
  name: string,
): SimRequest {
  if (request.kind === "whoAmI") return { kind: "wide", asked: request };
  if (request.kind === "write") {
    const { operation, opCode } = request;
    return { kind: "write", operation, withStat: opCode === OpCode.create2 };
  }
  const { read } = request;
  switch (read.kind) {
    case "exists":
    case "getData":
    case "getChildren":
      return { kind: "read", read: read.kind, path: read.path, watch: read.watch };
    case "getAcl":
      return { kind: "read", read: read.kind, path: read.path, watch: false };
    case "addWatch":
    case "removeWatches":
      return { kind: "watcher", asked: read };
    case "getEphemerals":
      return { kind: "wide", asked: { kind: read.kind, path: read.prefix } };
    default:
      must(false, "protocol", () => `${name}: says a ${read.kind}`);
      throw new Error("unreachable");
  }
}
