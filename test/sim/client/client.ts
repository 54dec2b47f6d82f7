/**
 * A simulated client: it speaks ZooKeeper's protocol over links to one node after the other, keeps its session over them, and
 * holds every reply and event against the truth.
 */
import { Code } from "../../../protocol/codes.ts";
import { JuteReader } from "../../../protocol/jute.ts";
import { OpCode, Xid } from "../../../protocol/zookeeper/codes.ts";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import { type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { type Attachment, newAttachment, send } from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import type { Link } from "../links.ts";
import type { NodeClock } from "../../../runtime/testing/node-clock.ts";
import type { Random } from "../random.ts";
import { type Answer, asked, type Connection, type Pending, type Session } from "./connection.ts";
import type { ClientEnvironment, LastAnswer } from "./environment.ts";
import { AUTH_XID, authFrame, type SimWho, whoOf } from "./identities.ts";
import {
  type Asking,
  checkCommitted,
  checkInOrder,
  checkReadReply,
  checkUnwritten,
  checkWritten,
  oldestAsked,
} from "./replies.ts";
import type { ShapeCoverage } from "./shapes.ts";
import { ClientWatches } from "./watches.ts";
import {
  type ReplyHeader,
  readReplyHeader,
  readWatchEvent,
} from "../../../protocol/zookeeper/client-replies.ts";
import {
  closesSession,
  connectFrame,
  headerFrame,
  isError,
  readReplyBody,
  readConnectReply,
  requestFrame,
  SET_WATCHES_XID,
  setWatchesFrame,
  type SimRequest,
} from "./wire.ts";
import { Asker, rootsOf, type Workload } from "./workload.ts";

const HOGS_MAX = 1;
const TICK_MS = 100;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const NO_PASSWORD = new Uint8Array(16);
/** Asked for after the roots, one for each request that is answered. */
const TRICKLE_THINK_MS = 400;

export class SimClient {
  readonly name: string;
  readonly workload: Workload;
  readonly who: SimWho;
  readonly watches: ClientWatches;
  session: Session | undefined;
  /** It asks for nothing new. */
  quiet = false;
  /** It only listens. */
  mute = false;
  /** The only node that it connects to; undefined: any. */
  at: number | undefined;
  /** Called with each event of a watch. */
  onEvent: (event: ReturnType<typeof readWatchEvent>) => void = () => {};
  /** Answered since it was told to count. */
  answered = 0;
  readonly #environment: ClientEnvironment;
  readonly #random: Random;
  readonly #asker: Asker;
  readonly #reader = new JuteReader();
  #lastZxid: Zxid = ZXID_NONE;
  #connection: Connection | undefined;
  #roots: string[];
  #xid = 0;
  #hogsLeft = HOGS_MAX;
  #ended = false;

  constructor(
    name: string,
    of: {
      readonly environment: ClientEnvironment;
      readonly random: Random;
      readonly workload: Workload;
      /** Another client's, to be used by both. */
      readonly session?: { readonly session: Session; readonly lastZxid: Zxid } | undefined;
    },
  ) {
    this.name = name;
    this.workload = of.workload;
    this.#environment = of.environment;
    this.#random = of.random;
    this.#asker = new Asker(name, of.random, of.workload);
    this.#roots = [...rootsOf(of.workload)];
    this.who = whoOf(name, of.workload.proofs ?? []);
    this.watches = new ClientWatches(name, of.environment.truth.model, this.who);
    this.session = of.session?.session;
    this.#lastZxid = of.session?.lastZxid ?? ZXID_NONE;
    this.#later(this.#random.random() * 200, () => this.#connect());
    this.#later(this.#random.random() * TICK_MS, () => this.#tick());
    this.#later(this.#random.random() * 100, () => this.#think());
  }

  get clock(): NodeClock {
    return this.#environment.clock;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The node that it is attached at. */
  get server(): number | undefined {
    return this.connected ? this.#connection?.node : undefined;
  }

  /** Its session is attached: a node that only reads does not count. */
  get connected(): boolean {
    return this.#connection?.attached === true && !this.#connection.readOnly;
  }

  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** Undefined: it is not connected. A node that only reads cannot speak for its session. */
  get lastAnswer(): LastAnswer | undefined {
    return this.connected ? this.#connection?.answer : undefined;
  }

  get pending(): number {
    return this.#connection?.pending.length ?? 0;
  }

  get #shapes(): ShapeCoverage | undefined {
    return this.workload.mix.shaped === undefined ? undefined : this.#environment.shapes;
  }

  get #asking(): Asking {
    return { name: this.name, session: this.session, environment: this.#environment };
  }

  describe(): string {
    const connection = this.#connection;
    if (connection === undefined) return "no connection";
    const where = `node ${connection.node}, ${connection.attached ? "attached" : "connecting"}`;
    return `${where}, ${connection.pending.length} pending`;
  }

  /** Leaves the connection; `silently`: the server is not told. It goes on with the next node. */
  move(silently: boolean): void {
    if (this.#connection !== undefined) this.#drop(silently, "moves on");
  }

  /** Takes no more part. */
  end(): void {
    this.#connection?.link.leave(false);
    this.#connection = undefined;
    this.#ended = true;
  }

  #later(afterMs: number, run: () => void): void {
    this.#environment.clock.after(afterMs, () => {
      if (!this.#ended) this.#environment.guard(run);
    });
  }

  #note(text: string): void {
    this.#environment.trace.note(this.name, text);
  }

  #connect(): void {
    if (this.#connection !== undefined) return;
    const { dial, nodes, clock, trueMs } = this.#environment;
    const node = this.at ?? this.workload.home ?? this.#random.whole(1, nodes);
    const link = dial({
      node,
      client: this,
      handler: {
        onBytes: (bytes, writtenMs) => {
          connection.answer.writtenMs = writtenMs;
          connection.answer.heardMs = trueMs();
          this.#environment.guard(() => this.#receive(connection, bytes));
        },
        onEnd: () => {
          if (this.#connection === connection) this.#drop(true, "closed by the server");
        },
      },
    });
    if (link === undefined) {
      this.#later(20 + this.#random.random() * 150, () => this.#connect());
      return;
    }
    const nowMs = clock.nowMs();
    const attachment = newAttachment(this.name, this.who);
    const askedMs = trueMs();
    const { session } = this;
    const { renewals, timeoutMs } = this.workload;
    const renewal = renewals.length === 0 ? undefined : this.#random.pick(renewals);
    const connection: Connection = {
      link,
      node,
      frames: new FrameReader(),
      attachment,
      pending: [],
      pingsMs: [],
      grantedMs: renewal?.grantedMs,
      answer: { askedMs, writtenMs: askedMs, heardMs: askedMs },
      attached: false,
      readOnly: false,
      unansweredMax: 0,
      heardMs: nowMs,
      sentMs: nowMs,
    };
    this.#connection = connection;
    if (session !== undefined) this.#environment.truth.asksFor(session.id);
    const { readOnly } = this.workload;
    const frame = connectFrame({
      lastZxidSeen: this.#lastZxid,
      timeoutMs: renewal?.askedMs ?? session?.timeoutMs ?? timeoutMs,
      session: session?.id ?? 0,
      password: session?.password ?? NO_PASSWORD,
      canBeReadOnly: readOnly || !this.#random.chance(0.1) ? readOnly : "absent",
    });
    this.#shapes?.connects(frame);
    link.send(frame);
  }

  attachmentOf(link: Link): Attachment | undefined {
    return this.#connection?.link === link ? this.#connection.attachment : undefined;
  }

  #drop(silently: boolean, why: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    connection.link.leave(silently);
    for (const { onAnswer } of connection.pending) onAnswer?.(undefined);
    if (connection.attached) {
      this.#note(`leaves node ${connection.node}: ${why}; ${connection.pending.length} unanswered`);
    }
    this.watches.disconnected();
    // The watches of a session that nobody else knows end with it.
    if (connection.readOnly && this.session === undefined) this.watches.clear();
    this.#environment.counts.reconnects += 1;
    this.#later(this.#random.random() * 60, () => this.#connect());
  }

  #tick(): void {
    this.#later(TICK_MS, () => this.#tick());
    const connection = this.#connection;
    if (connection === undefined) return;
    const nowMs = this.#environment.clock.nowMs();
    const timeoutMs = this.session?.timeoutMs ?? this.workload.timeoutMs;
    const silentMs = nowMs - connection.heardMs;
    const shortMs = this.workload.patient ? 2 * timeoutMs : Math.max(1000, timeoutMs / 4);
    const patienceMs = connection.attached ? (timeoutMs * 2) / 3 : shortMs;
    if (silentMs >= patienceMs) {
      this.#drop(this.#random.chance(0.5), "hears nothing");
      return;
    }
    const isDue = nowMs + TICK_MS - connection.sentMs > timeoutMs / 3;
    if (!this.mute && connection.attached && isDue) {
      connection.pingsMs.push(this.#environment.trueMs());
      this.#send(connection, headerFrame(Xid.ping, OpCode.ping));
    }
  }

  #think(): void {
    const { budget } = this.#environment;
    const { thinkMs, outstandingMax, flood, slowReader } = this.workload;
    const trickles = budget.left <= 0;
    const waitMs = trickles ? Math.max(thinkMs, TRICKLE_THINK_MS) : thinkMs;
    this.#later(this.#random.wait(waitMs), () => this.#think());
    const connection = this.#connection;
    if (this.quiet || this.mute || connection?.attached !== true) return;
    if (slowReader && this.#random.chance(0.01)) this.#readSlowly(connection.link);
    if (this.workload.hog && this.#hogsLeft > 0 && this.#random.chance(0.03)) this.#hog(connection);
    const burst = flood && !trickles && this.#random.chance(0.02) ? 100 : 1;
    for (let index = 0; index < burst; index += 1) {
      if (burst === 1 && connection.pending.length >= outstandingMax) return;
      const root = this.#roots[0];
      const requests = root === undefined ? this.#asker.next() : [this.#asker.create(root)];
      if (root !== undefined) this.#roots.shift();
      for (const request of requests) this.#ask(connection, request);
      if (requests.some(closesSession)) return;
    }
  }

  #readSlowly(link: Link): void {
    link.setClientReads(false);
    this.#environment.clock.after(this.#random.random() * 1500, () => link.setClientReads(true));
  }

  #hog(connection: Connection): void {
    this.#hogsLeft -= 1;
    this.#environment.counts.hogs += 1;
    this.#note("asks for too much and does not read");
    this.#readSlowly(connection.link);
    const frames = this.#asker.tooMany().map((request) => this.#pend(connection, request));
    this.#send(connection, Buffer.concat(frames));
  }

  #send(connection: Connection, bytes: Uint8Array): void {
    connection.sentMs = this.#environment.clock.nowMs();
    connection.link.send(bytes);
  }

  /** Asks for this, beside what it asks for by itself. `onAnswer`: undefined when the connection ends before. */
  ask(request: SimRequest, onAnswer: (answer: Answer | undefined) => void): void {
    const connection = this.#connection;
    if (connection?.attached !== true) throw new Error(`${this.name} is not connected`);
    this.#send(connection, this.#pend(connection, request, onAnswer));
  }

  #ask(connection: Connection, request: SimRequest): void {
    // Nothing follows the end of a session.
    if (connection.pending.some(({ request: asked }) => closesSession(asked))) return;
    this.#environment.budget.left -= 1;
    this.#send(connection, this.#pend(connection, request));
  }

  /** The request's frame; it is expected to be answered from now on. */
  #pend(connection: Connection, request: SimRequest, onAnswer?: Pending["onAnswer"]): Uint8Array {
    this.#xid += 1;
    const { sent } = connection.attachment;
    const place = sent.length;
    if (request.kind === "write") send(connection.attachment, request.operation);
    const after = this.#environment.truth.acknowledged;
    const askedMs = this.#environment.trueMs();
    const toldBefore = connection.link.toldClients.zxid;
    const xid = this.#xid;
    connection.pending.push({ xid, request, after, toldBefore, place, askedMs, onAnswer });
    connection.unansweredMax = Math.max(connection.unansweredMax, connection.pending.length);
    const frame = requestFrame(this.#xid, request);
    this.#shapes?.sent(frame);
    return frame;
  }

  #receive(connection: Connection, bytes: Uint8Array): void {
    if (this.#connection !== connection) return;
    const { frames } = connection;
    connection.heardMs = this.#environment.clock.nowMs();
    frames.push(bytes);
    for (;;) {
      const frame = frames.next(FRAME_BYTES_MAX);
      if (frame === undefined || this.#connection !== connection) break;
      must(frame.kind === "frame", "protocol", () => `${this.name}: a frame of a bad length`);
      this.#reader.reset(frame.bytes, frame.from, frame.to);
      if (connection.attached) this.#reply(connection);
      else this.#connectReply(connection);
      const { fault, left } = this.#reader;
      must(
        fault === undefined && left <= 1,
        "protocol",
        () => `${this.name}: ${fault ?? "bytes left"}`,
      );
    }
    frames.settle();
  }

  #connectReply(connection: Connection): void {
    const { counts, truth } = this.#environment;
    const { timeoutMs, session, password, readOnly } = readConnectReply(this.#reader);
    if (session === 0) {
      const { session: own } = this;
      must(own !== undefined && !truth.model.sessions.has(own.id), "ephemerals", () => {
        return `${this.name}: session 0x${own?.id.toString(16)} is told to be expired and lives`;
      });
      counts.expired += 1;
      this.#note("session expired");
      this.#forgetSession();
      this.#drop(false, "expired");
      return;
    }
    const known = this.session;
    must(
      known === undefined || known.id === session,
      "protocol",
      () => `${this.name}: another session`,
    );
    const { grantedMs = timeoutMs } = connection;
    must(timeoutMs === grantedMs, "protocol", () => {
      return `${this.name}: a timeout of ${timeoutMs} ms, not ${grantedMs}`;
    });
    must(!readOnly || this.workload.readOnly, "read-only", () => {
      return `${this.name}: a node that only reads serves it, and it did not ask for that`;
    });
    connection.attached = true;
    connection.readOnly = readOnly;
    const where = `node ${connection.node}, session 0x${session.toString(16)}`;
    if (readOnly) {
      counts.readOnly += 1;
      this.#note(`served by ${where}, which only reads`);
    } else {
      if (known === undefined) counts.sessions += 1;
      truth.knows(session);
      this.session = { id: session, password, timeoutMs };
      this.#environment.heard(this);
      this.#note(`attached at ${where}`);
    }
    for (const frame of (this.workload.proofs ?? []).map(authFrame)) {
      this.#shapes?.sent(frame);
      this.#send(connection, frame);
    }
    if (this.#random.chance(0.1)) this.watches.forgetSome(this.#random);
    if (this.watches.count === 0) return;
    const lists = this.watches.reset(this.#lastZxid);
    const frame = setWatchesFrame(this.#lastZxid, lists);
    this.#shapes?.sent(frame);
    this.#send(connection, frame);
  }

  #forgetSession(): void {
    this.session = undefined;
    this.#lastZxid = ZXID_NONE;
    this.watches.clear();
  }

  #reply(connection: Connection): void {
    const { counts } = this.#environment;
    const header = readReplyHeader(this.#reader);
    const { xid, zxid } = header;
    checkCommitted(this.#asking, header);
    if (xid === Xid.watchEvent) {
      const event = readWatchEvent(this.#reader);
      counts.events += 1;
      this.watches.event(event, zxid);
      this.onEvent(event);
      return;
    }
    // As the Java client: neither events nor pings count as seen. They may name the end of a record whose writes are answered next.
    if (xid === Xid.ping) {
      asked(connection, connection.pingsMs.shift());
      if (!connection.readOnly) this.#environment.heard(this);
      return;
    }
    if (xid === AUTH_XID) {
      must(header.code === Code.ok, "identities", () => `${this.name}: code ${header.code}`);
      return;
    }
    checkInOrder(this.#asking, connection, header, this.#lastZxid);
    this.#lastZxid = zxid;
    if (xid === SET_WATCHES_XID) {
      this.watches.resetDone(zxid, connection.link.ringFrom());
      return;
    }
    this.watches.covered(zxid);
    this.#answer(connection, header);
  }

  #answer(connection: Connection, header: ReplyHeader): void {
    const pending = oldestAsked(this.#asking, connection, header);
    const { request } = pending;
    if (connection.pending.length === 0) {
      this.#shapes?.burst(connection.unansweredMax);
      connection.unansweredMax = 0;
    }
    const ended = header.code === Code.sessionExpired || header.code === Code.sessionMoved;
    if (!ended && !connection.readOnly) this.#environment.heard(this);
    const body = readReplyBody(this.#reader, request, header);
    this.answered += 1;
    pending.onAnswer?.({ code: header.code, zxid: header.zxid, body });
    if (request.kind === "read" || request.kind === "multiRead" || request.kind === "wide") {
      checkReadReply({ ...this.#asking, who: this.who }, pending, { header, body });
      if (request.kind === "read") this.watches.read(request, header);
      return;
    }
    if (request.kind === "watcher") {
      this.watches.answered(request.asked, header);
      return;
    }
    if (connection.readOnly) {
      checkUnwritten(this.#asking, pending, header);
      if (!isError(header)) this.#drop(false, "session closed");
      return;
    }
    if (!checkWritten(this.#asking, connection, pending, { header, body })) return;
    if (body.kind === "path" && request.operation.kind === "create") this.#asker.created(body.path);
    if (request.operation.kind === "closeSession" && !isError(header)) {
      this.#note("closed its session");
      this.#forgetSession();
      this.#drop(false, "session closed");
    } else if (ended) {
      this.#drop(false, `code ${header.code}`);
    }
  }
}
