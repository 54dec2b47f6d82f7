/**
 * A simulated native client: it speaks the native protocol over subjects, keeps its session and its change streams over
 * connections to whatever gateway NATS gives it, and holds all that it hears against the truth.
 */
import { NATIVE_TAKEN_BYTES } from "../../../protocol/limits.ts";
import { Code } from "../../../protocol/codes.ts";
import { PASSWORD_BYTES, SESSION_NONE } from "../../../protocol/ids.ts";
import {
  type ClientItem,
  decodeGatewayFrame,
  encodeClientFrame,
  type EndReason,
  type GatewayItem,
  NATIVE_VERSION,
} from "../../../protocol/native.ts";
import { gatewaySubject, laneSubject } from "../../../protocol/subjects.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { checkOneServer, told } from "../checks/one-server.ts";
import {
  type Attachment,
  isRefusal,
  newAttachment,
  send,
  takeRefusal,
  textOf,
} from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import type { NodeClock } from "../node-clock.ts";
import type { Random } from "../random.ts";
import { ENSEMBLE, type SubjectClient, type Subjects } from "../subjects.ts";
import type { ClientEnvironment, LastAnswer } from "./environment.ts";
import { type SimWho, whoOf } from "./identities.ts";
import { asked, type Connection, type Pending, type Session } from "./native-connection.ts";
import { checkNativeRead, nativeRequest, nativeWriteProblem } from "./native-wire.ts";
import { ClientStreams, type StreamCounts } from "./streams.ts";
import { closesSession, type SimRequest } from "./wire.ts";
import { Asker, rootsOf, type Workload } from "./workload.ts";

export type NativeOptions = {
  readonly environment: Omit<ClientEnvironment, "dial" | "nodes">;
  readonly subjects: Subjects;
  readonly random: Random;
  readonly workload: Workload;
  readonly counts: StreamCounts;
  /** Streams open at a time. */
  readonly streamsMax: number;
  /** Between two grants of credits. */
  readonly grantMs: number;
};

const TICK_MS = 100;
const TRICKLE_THINK_MS = 400;
const PING_BUSY_MS = 500;
const GRANT_QUIET_MS = 5;
/** More than gateways have while they wait for a client that is gone. */
const LEFT_MAX = 50;
/** Frames about as large as this may be followed by another of the same turn. */
const WHOLE_FRAME_BYTES_MAX = 200_000;

/** What no gateway may say to a client that does nothing wrong. */
const WRONG: ReadonlySet<EndReason> = new Set<EndReason>(["badFrame", "version", "authFailed"]);

export class NativeClient {
  readonly name: string;
  readonly workload: Workload;
  session: Session | undefined;
  quiet = false;
  answered = 0;
  readonly ended = false;
  readonly #options: NativeOptions;
  readonly #random: Random;
  readonly #who: SimWho;
  readonly #asker: Asker;
  readonly #streams: ClientStreams;
  readonly #end: SubjectClient;
  readonly #roots: string[];
  #lastZxid: Zxid = ZXID_NONE;
  #connection: Connection | undefined;
  /** Connections that it has left, and that their gateways may not have. */
  readonly #left: Connection[] = [];
  #connections = 0;
  #id = 0;

  constructor(name: string, options: NativeOptions) {
    const { environment, random, workload, counts } = options;
    this.name = name;
    this.workload = workload;
    this.#options = options;
    this.#random = random;
    // Its connections have no address that a list could name.
    this.#who = { ...whoOf(name, workload.proofs ?? []), address: undefined };
    // It has no multi, and asks for no lists.
    this.#asker = new Asker(name, random, { ...workload, quotas: 0, proofs: undefined });
    const { truth } = environment;
    this.#streams = new ClientStreams(name, { truth, random, counts, reader: this.#who });
    this.#roots = [...rootsOf(workload)];
    const of = (connection: number): Connection | undefined =>
      this.#connection?.number === connection ? this.#connection : undefined;
    this.#end = {
      name,
      onBytes: (connection, bytes, { writtenMs, toldClients }) => {
        const current = of(connection);
        if (current === undefined) return;
        current.toldClients ??= toldClients;
        environment.guard(() => this.#hear(current, bytes, writtenMs));
      },
      onNoResponders: (connection) => {
        if (of(connection) !== undefined) this.#drop("nobody listens");
      },
      onAttached: (connection, attachedAt, takesWrites) => {
        const attachment = of(connection)?.attachment;
        if (attachment === undefined) return;
        attachment.mayBeRefused ||= !takesWrites;
        environment.truth.attach(attachedAt, attachment);
      },
    };
    options.subjects.join(this.#end);
    this.#later(random.random() * 200, () => this.#open());
    this.#later(random.random() * TICK_MS, () => this.#tick());
    this.#later(random.random() * 100, () => this.#think());
    this.#later(random.random() * 100, () => this.#grant());
  }

  get clock(): NodeClock {
    return this.#options.environment.clock;
  }

  /** The node that it is attached at. */
  get server(): number | undefined {
    return this.#connection?.server;
  }

  get connected(): boolean {
    return this.#connection?.subject !== undefined;
  }

  get pending(): number {
    return this.#connection?.pending.size ?? 0;
  }

  /** The node takes no writes: none of what it may hold of this client, also of connections that the client has left. */
  expectRefusals(node: number): void {
    const connection = this.#connection;
    for (const { server, attachment } of [...this.#left, ...(connection ? [connection] : [])]) {
      if (server === undefined || server === node) attachment.mayBeRefused = true;
    }
  }

  /** Its streams have told it everything. */
  get complete(): boolean {
    return this.#streams.complete;
  }

  /** Its streams have told what there is up to this zxid. */
  hasHeard(zxid: Zxid): boolean {
    return this.#streams.hasHeard(zxid);
  }

  /** Undefined: it is not connected. */
  get lastAnswer(): LastAnswer | undefined {
    return this.connected ? this.#connection?.answer : undefined;
  }

  describe(): string {
    const connection = this.#connection;
    if (connection === undefined) return "no connection";
    return `${connection.subject ?? "connecting"}, ${connection.pending.size} pending`;
  }

  /** Drops its connection without telling anybody. */
  move(): void {
    if (this.#connection !== undefined) this.#drop("moves on");
  }

  #later(afterMs: number, run: () => void): void {
    const { clock, guard } = this.#options.environment;
    clock.after(afterMs, () => guard(run));
  }

  #note(text: string): void {
    this.#options.environment.trace.note(this.name, text);
  }

  #open(): void {
    if (this.#connection !== undefined) return;
    const { environment, subjects, workload } = this.#options;
    const nowMs = environment.clock.nowMs();
    this.#connections += 1;
    const attachment = newAttachment(this.name, this.#who);
    const askedMs = environment.trueMs();
    const { renewals } = workload;
    const renewal = renewals.length === 0 ? undefined : this.#random.pick(renewals);
    this.#connection = {
      number: this.#connections,
      attachment,
      pending: new Map(),
      pingsMs: [],
      untoldBytes: 0,
      grantedMs: renewal?.grantedMs,
      answer: { askedMs, writtenMs: askedMs, heardMs: askedMs },
      subject: undefined,
      server: undefined,
      toldClients: undefined,
      said: 0,
      heard: 0,
      heardMs: nowMs,
      saidMs: nowMs,
    };
    const { session } = this;
    const open: ClientItem = {
      kind: "open",
      version: NATIVE_VERSION,
      session: session?.id ?? SESSION_NONE,
      password: session?.password ?? new Uint8Array(PASSWORD_BYTES),
      timeoutMs: renewal?.askedMs ?? session?.timeoutMs ?? workload.timeoutMs,
    };
    const bytes = encodeClientFrame({ sequence: 0, items: [open] });
    const { home } = workload;
    const subject = home === undefined ? gatewaySubject(ENSEMBLE) : laneSubject(ENSEMBLE, home, 1);
    subjects.say(this.#end, this.#connections, subject, bytes);
  }

  #say(connection: Connection, items: readonly ClientItem[]): void {
    const { subject } = connection;
    if (subject === undefined || items.length === 0) return;
    const { environment, subjects } = this.#options;
    connection.said += 1;
    connection.saidMs = environment.clock.nowMs();
    const bytes = encodeClientFrame({ sequence: connection.said, items });
    subjects.say(this.#end, connection.number, subject, bytes);
  }

  #drop(why: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#left.push(connection);
    if (this.#left.length > LEFT_MAX) this.#left.shift();
    if (connection.subject !== undefined) this.#note(`leaves its gateway: ${why}`);
    this.#options.environment.counts.reconnects += 1;
    this.#later(this.#random.random() * 150, () => this.#open());
  }

  #tick(): void {
    this.#later(TICK_MS, () => this.#tick());
    const connection = this.#connection;
    if (connection === undefined) return;
    const { environment, workload } = this.#options;
    const nowMs = environment.clock.nowMs();
    const timeoutMs = this.session?.timeoutMs ?? workload.timeoutMs;
    const isOpen = connection.subject !== undefined;
    const silentMs = nowMs - connection.heardMs;
    const quietMs = nowMs - connection.saidMs;
    const shortMs = workload.patient ? 2 * timeoutMs : Math.max(1000, timeoutMs / 3);
    if (silentMs >= (isOpen ? (timeoutMs * 2) / 3 : shortMs)) {
      this.#drop("hears nothing");
    } else if (
      quietMs + TICK_MS > timeoutMs / 3 ||
      (connection.pending.size > 0 && quietMs >= PING_BUSY_MS)
    ) {
      connection.pingsMs.push(environment.trueMs());
      this.#say(connection, [{ kind: "ping" }]);
    }
  }

  #grant(): void {
    // In the end it is as fast as it can: what waits for its credits is to come within the bound.
    const waitMs = this.quiet ? GRANT_QUIET_MS : this.#options.grantMs;
    this.#later(this.#random.wait(waitMs), () => this.#grant());
    const connection = this.#connection;
    if (connection?.subject !== undefined) this.#say(connection, this.#streams.grant());
  }

  #think(): void {
    const { environment, workload, streamsMax } = this.#options;
    const { budget } = environment;
    const { thinkMs, outstandingMax } = workload;
    const waitMs = budget.left <= 0 ? Math.max(thinkMs, TRICKLE_THINK_MS) : thinkMs;
    this.#later(this.#random.wait(waitMs), () => this.#think());
    const connection = this.#connection;
    if (this.quiet || connection?.subject === undefined) return;
    if (this.#random.chance(0.05)) {
      const full = this.#streams.count >= streamsMax;
      const item = full ? this.#streams.close() : this.#streams.open(this.#lastZxid);
      if (item !== undefined) this.#say(connection, [item]);
    }
    if (connection.pending.size >= outstandingMax) return;
    const root = this.#roots.shift();
    const requests = root === undefined ? this.#asker.next() : [this.#asker.create(root)];
    this.#ask(connection, requests);
  }

  #ask(connection: Connection, requests: readonly SimRequest[]): void {
    const { environment } = this.#options;
    const { pending, attachment } = connection;
    if ([...pending.values()].some(({ request }) => closesSession(request))) return;
    const after = environment.truth.acknowledged;
    const toldBefore = connection.toldClients?.zxid ?? ZXID_NONE;
    const items = requests.map((request): ClientItem => {
      environment.budget.left -= 1;
      this.#id += 1;
      const place = attachment.sent.length;
      if (request.kind === "write") send(attachment, request.operation);
      const askedMs = environment.trueMs();
      const seen = this.#lastZxid;
      pending.set(this.#id, { request, after, seen, toldBefore, place, askedMs });
      return { kind: "request", id: this.#id, request: nativeRequest(request) };
    });
    this.#say(connection, items);
  }

  #hear(connection: Connection, bytes: Uint8Array, writtenMs: number): void {
    const { sequence, items } = decodeGatewayFrame(bytes);
    if (sequence !== 0) {
      if (sequence !== connection.heard + 1) return this.#drop("a message was lost");
      connection.heard = sequence;
      connection.untoldBytes += bytes.length;
    }
    connection.heardMs = this.#options.environment.clock.nowMs();
    connection.answer.writtenMs = writtenMs;
    connection.answer.heardMs = this.#options.environment.trueMs();
    for (const item of items) {
      this.#item(connection, item);
      if (this.#connection !== connection) return;
    }
    if (connection.untoldBytes >= NATIVE_TAKEN_BYTES) {
      connection.untoldBytes = 0;
      this.#say(connection, [{ kind: "taken", sequence: connection.heard }]);
    }
    if (bytes.length < WHOLE_FRAME_BYTES_MAX) this.#streams.heardAll();
  }

  #item(connection: Connection, item: GatewayItem): void {
    switch (item.kind) {
      case "opened":
        this.#opened(connection, item);
        return;
      case "pong":
        asked(connection, connection.pingsMs.shift());
        this.#options.environment.heard(this);
        this.#saw(item.zxid);
        return;
      case "result":
        this.#result(connection, item);
        return;
      case "changes":
        this.#streams.hear(item);
        this.#saw(item.through);
        return;
      case "compacted":
        this.#note(`stream ${item.stream} is compacted up to ${formatZxid(item.oldest)}`);
        this.#streams.hear(item);
        return;
      case "streamRefused":
        return must(false, "protocol", () => `${this.name}: a stream was refused: ${item.code}`);
      case "ended":
        this.#ended(item.reason);
        return;
      default:
        item satisfies never;
    }
  }

  #opened(connection: Connection, item: Extract<GatewayItem, { readonly kind: "opened" }>): void {
    const { counts } = this.#options.environment;
    const { session, password, timeoutMs, server, lane, zxid } = item;
    const known = this.session;
    must(known === undefined || known.id === session, "protocol", () => {
      return `${this.name}: another session`;
    });
    must(zxid >= this.#lastZxid, "monotone reads", () => {
      return `${this.name}: attached at ${formatZxid(zxid)}, it has seen ${formatZxid(this.#lastZxid)}`;
    });
    const { grantedMs = timeoutMs } = connection;
    must(timeoutMs === grantedMs, "protocol", () => {
      return `${this.name}: a timeout of ${timeoutMs} ms, not ${grantedMs}`;
    });
    if (known === undefined) counts.sessions += 1;
    this.session = { id: session, password, timeoutMs };
    this.#saw(zxid);
    connection.server = server;
    connection.subject = laneSubject(ENSEMBLE, server, lane);
    this.#options.environment.heard(this);
    this.#note(`attached at node ${server}, session 0x${session.toString(16)}`);
    const proofs = this.workload.proofs ?? [];
    const proving = proofs.map((text): ClientItem => ({ kind: "auth", data: Buffer.from(text) }));
    this.#say(connection, [...proving, ...this.#streams.reopen()]);
  }

  #ended(reason: EndReason): void {
    const { truth, counts } = this.#options.environment;
    if (reason === "expired") {
      const { session } = this;
      must(session !== undefined && !truth.model.sessions.has(session.id), "ephemerals", () => {
        return `${this.name}: session 0x${session?.id.toString(16)} is told to be expired and lives`;
      });
      counts.expired += 1;
      this.session = undefined;
    }
    must(!WRONG.has(reason), "protocol", () => {
      return `${this.name}: the gateway ends with ${reason}`;
    });
    this.#drop(`ended: ${reason}`);
  }

  #saw(zxid: Zxid): void {
    const { truth } = this.#options.environment;
    must(zxid <= truth.latest, "true replies", () => {
      return `${this.name}: ${formatZxid(zxid)} is not committed, ${formatZxid(truth.latest)} is`;
    });
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
  }

  #result(connection: Connection, answer: Extract<GatewayItem, { readonly kind: "result" }>): void {
    const { truth, counts } = this.#options.environment;
    const pending = connection.pending.get(answer.id);
    must(pending !== undefined, "exactly once", () => {
      return `${this.name}: an answer to request ${answer.id}, which waits for none`;
    });
    connection.pending.delete(answer.id);
    asked(connection, pending.askedMs);
    this.#saw(answer.zxid);
    if (connection.toldClients !== undefined) told(connection.toldClients, answer.zxid);
    this.answered += 1;
    const { request } = pending;
    const { result } = answer;
    const code = result.kind === "error" ? result.code : Code.ok;
    const ended = code === Code.sessionExpired || code === Code.sessionMoved;
    if (!ended) this.#options.environment.heard(this);
    if (request.kind === "write") {
      if (isRefusal(connection.attachment, pending.place, { code, zxid: answer.zxid })) {
        counts.refused += 1;
        takeRefusal(connection.attachment, pending.place);
        return;
      }
      this.#checkWrite(connection.attachment, pending, answer);
      return;
    }
    if (request.kind !== "read") throw new Error(`native clients ask for no ${request.kind}`);
    counts.reads += 1;
    this.#checkOrder(connection.attachment, pending, answer.zxid);
    checkOneServer(this.name, answer.zxid, pending.toldBefore);
    checkNativeRead(truth.model, { name: this.name, who: this.#who }, request, answer);
  }

  /** A read sees all that its connection wrote before it, nothing that came after, and nothing older than its client has seen. */
  #checkOrder({ committed, mayBeRefused }: Attachment, { place, seen }: Pending, zxid: Zxid): void {
    must(zxid >= seen, "monotone reads", () => {
      return `${this.name}: a read of ${formatZxid(zxid)} after ${formatZxid(seen)}`;
    });
    // What was refused has no zxid.
    const before = committed.slice(0, place).findLast((each) => each !== undefined) ?? ZXID_NONE;
    const next = committed.slice(place).find((each) => each !== undefined);
    const isWhole = mayBeRefused || committed.length >= place;
    must(isWhole && before <= zxid && (next === undefined || next > zxid), "session order", () => {
      return `${this.name}: a read of ${formatZxid(zxid)} between writes at ${before} and ${next}`;
    });
  }

  #checkWrite(
    { committed }: Attachment,
    { request, after, place }: Pending,
    { zxid, result }: Extract<GatewayItem, { readonly kind: "result" }>,
  ): void {
    const { truth, counts } = this.#options.environment;
    if (request.kind !== "write") return;
    const { operation } = request;
    const what = (): string => `${this.name}: ${textOf(operation)} at ${formatZxid(zxid)}`;
    must(committed[place] === zxid, "exactly once", () => {
      return `${what()}, committed at ${committed[place] ?? "no zxid"}`;
    });
    must(zxid > after, "linearizable writes", () => {
      return `${what()}, asked when ${formatZxid(after)} was acknowledged`;
    });
    const applied = truth.operationAt(zxid);
    const problem =
      applied === undefined ? "no such zxid" : nativeWriteProblem(result, applied.result);
    must(problem === undefined, "true replies", () => `${what()}: ${problem}`);
    truth.acknowledged = Math.max(truth.acknowledged, zxid) as Zxid;
    counts.acknowledged += 1;
    if (result.kind === "created") this.#asker.created(result.path);
    if (operation.kind !== "closeSession") return;
    const code = result.kind === "error" ? result.code : Code.ok;
    if (code !== Code.ok) return;
    this.#note("closed its session");
    this.session = undefined;
    this.#drop("session closed");
  }
}
