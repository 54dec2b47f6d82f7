/**
 * Sees what passes between a native client and its gateways, and holds it against the truth: what each connection asks, and what it is
 * told. It decides nothing.
 */
import { Code } from "../../../protocol/codes.ts";
import { SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import {
  type ClientItem,
  decodeGatewayFrame,
  type EndReason,
  type Frame,
  type GatewayItem,
  type ReceivedItem,
} from "../../../protocol/native.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Earlier } from "../checks/numbered.ts";
import { checkOneServer, told, type ToldByProcess } from "../checks/one-server.ts";
import {
  type Attachment,
  isRefusal,
  newAttachment,
  send,
  takeRefusal,
  textOf,
} from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import type { ClientEnvironment, LastAnswer } from "./environment.ts";
import type { SimWho } from "./identities.ts";
import { checkNativeRead, nativeWriteProblem } from "./native-requests.ts";
import { WireStreams } from "./native-wire-streams.ts";
import type { StreamCounts } from "./streams.ts";

export type Heard = { readonly writtenMs: number; readonly toldClients: ToldByProcess };
export type Told = Extract<GatewayItem, { readonly kind: "result" }>;

/** Where a request was said last. */
export type Sent = {
  readonly attachment: Attachment;
  readonly request: NativeRequest;
  /** The largest zxid that anybody had as a result then, and the largest that this client had seen. */
  readonly after: Zxid;
  readonly seen: Zxid;
  /** The largest that the server had told any of its clients then. */
  readonly toldBefore: Zxid;
  /** How many writes of its connection were sent before it. */
  readonly place: number;
  /** What had become of it before the connection was attached: it is handed on to nobody. */
  readonly earlier: Earlier | undefined;
  /** In true time. */
  readonly askedMs: number;
  /** The answer. */
  told: Told | undefined;
};

export type Wire = {
  readonly number: number;
  readonly attachment: Attachment;
  readonly pending: Map<number, Sent>;
  readonly streams: WireStreams;
  /** In true time, when each ping without an answer was sent. */
  readonly pingsMs: number[];
  readonly grantedMs: number | undefined;
  readonly answer: LastAnswer;
  opened: Extract<GatewayItem, { readonly kind: "opened" }> | undefined;
  toldClients: ToldByProcess | undefined;
  said: number;
  saidMs: number;
  heard: number;
};

export type WitnessOptions = {
  readonly name: string;
  readonly who: SimWho;
  readonly environment: Omit<ClientEnvironment, "dial" | "nodes">;
  readonly counts: StreamCounts;
  /** How many changes may be under way to one stream. */
  readonly credits: number;
  /** What the client's user knows. */
  readonly user: {
    readonly lastZxid: () => Zxid;
    readonly session: () => { readonly id: SessionId; readonly timeoutMs: number } | undefined;
    /** The client says this request; undefined: nobody has asked for it. */
    readonly says: (id: number, sent: Sent) => void;
    /** The client says that no answers are waited for up to this number. */
    readonly hasAnswers: (number: number) => void;
    /** An answer was heard that says that the session lives. */
    readonly isAlive: () => void;
  };
};

/** More than gateways have while they wait for a client that is gone. */
const WIRES_MAX = 50;
/** Frames about as large as this may be followed by another of the same turn. */
const WHOLE_FRAME_BYTES_MAX = 200_000;
/** Clocks change their rates while timers run. */
const SLACK_MS = 5;

/** What no gateway may say to a client that does nothing wrong. */
const WRONG: ReadonlySet<EndReason> = new Set<EndReason>(["badFrame", "version", "authFailed"]);

export class NativeWitness {
  readonly #options: WitnessOptions;
  readonly #wires: Wire[] = [];
  /** The connection that the client has, or waits for. */
  #current: Wire | undefined;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  get current(): Wire | undefined {
    return this.#current;
  }

  /** The client has given its connection up. */
  leaves(): void {
    this.#current = undefined;
  }

  attachmentOf(number: number): Attachment | undefined {
    return this.#wires.find((wire) => wire.number === number)?.attachment;
  }

  /** The node takes no writes: none of what it may hold of this client, also of connections that the client has left. */
  expectRefusals(node: number): void {
    for (const { opened, attachment } of this.#wires) {
      if (opened === undefined || opened.server === node) attachment.mayBeRefused = true;
    }
  }

  opens(
    number: number,
    { session }: Extract<ClientItem, { readonly kind: "open" }>,
    grantedMs: number | undefined,
  ): void {
    const { name, who, environment, credits, counts, user } = this.#options;
    const known = user.session()?.id ?? SESSION_NONE;
    must(session === known, "protocol", () => {
      return `${name}: asks for session 0x${session.toString(16)}, it has 0x${known.toString(16)}`;
    });
    const nowMs = environment.trueMs();
    const wire: Wire = {
      number,
      attachment: newAttachment(name, who),
      pending: new Map(),
      streams: new WireStreams(name, credits, counts),
      pingsMs: [],
      grantedMs,
      answer: { askedMs: nowMs, writtenMs: nowMs, heardMs: nowMs },
      opened: undefined,
      toldClients: undefined,
      said: 0,
      saidMs: environment.clock.nowMs(),
      heard: 0,
    };
    this.#current = wire;
    this.#wires.push(wire);
    if (this.#wires.length > WIRES_MAX) this.#wires.shift();
  }

  /** Returns what the gateway said as it opened the connection that the client takes for open. */
  connected(): NonNullable<Wire["opened"]> {
    const { name } = this.#options;
    const { opened, grantedMs } = this.#current ?? {};
    must(opened !== undefined, "protocol", () => `${name}: takes a connection for open`);
    const { timeoutMs } = opened;
    must(timeoutMs === (grantedMs ?? timeoutMs), "protocol", () => {
      return `${name}: a timeout of ${timeoutMs} ms, not ${grantedMs}`;
    });
    return opened;
  }

  says(number: number, { sequence, items }: Frame<ReceivedItem>): void {
    const { name, environment } = this.#options;
    const wire = this.#current;
    must(wire?.number === number && wire.opened !== undefined, "protocol", () => {
      return `${name}: says ${items[0]?.kind} on connection ${number}, which is not open`;
    });
    must(sequence === wire.said + 1, "protocol", () => {
      return `${name}: frame ${sequence} after ${wire.said}`;
    });
    wire.said = sequence;
    this.#checkSilence(wire);
    wire.saidMs = environment.clock.nowMs();
    for (const item of items) this.#saysItem(wire, item);
  }

  hears(number: number, bytes: Uint8Array, { writtenMs, toldClients }: Heard): void {
    const wire = this.#current;
    if (wire?.number !== number) return;
    wire.toldClients ??= toldClients;
    this.#checkSilence(wire);
    const { sequence, items } = decodeGatewayFrame(bytes);
    if (sequence !== 0) wire.heard = sequence;
    wire.answer.writtenMs = writtenMs;
    wire.answer.heardMs = this.#options.environment.trueMs();
    for (const item of items) this.#hearsItem(wire, item);
    if (bytes.length < WHOLE_FRAME_BYTES_MAX) wire.streams.heardAll();
  }

  /** The node counts on hearing of a session within a third of its timeout. */
  #checkSilence({ opened, saidMs }: Wire): void {
    const { name, environment } = this.#options;
    if (opened === undefined) return;
    const silentMs = environment.clock.nowMs() - saidMs;
    must(silentMs <= opened.timeoutMs / 3 + SLACK_MS, "session safety", () => {
      return `${name}: says nothing for ${silentMs.toFixed(0)} ms, with a timeout of ${opened.timeoutMs}`;
    });
  }

  #saysItem(wire: Wire, item: ReceivedItem): void {
    const { name, environment, user } = this.#options;
    switch (item.kind) {
      case "request": {
        const { attachment } = wire;
        const { request } = item;
        const earlier = this.#earlier(wire, item);
        const sent: Sent = {
          ...{ attachment, request },
          after: environment.truth.acknowledged,
          seen: user.lastZxid(),
          toldBefore: wire.toldClients?.zxid ?? ZXID_NONE,
          place: attachment.sent.length,
          earlier,
          askedMs: environment.trueMs(),
          told: undefined,
        };
        if (request.kind === "write" && earlier === undefined) {
          send(attachment, request.operation, item.id);
        }
        wire.pending.set(item.id, sent);
        user.says(item.id, sent);
        return;
      }
      case "answered":
        user.hasAnswers(item.number);
        return;
      case "ping":
        wire.pingsMs.push(environment.trueMs());
        return;
      case "openStream":
      case "credit":
      case "closeStream":
        wire.streams.says(item);
        return;
      case "taken":
        // It is said at the end of the turn, when another frame may have come.
        must(item.sequence <= wire.heard, "protocol", () => {
          return `${name}: takes frame ${item.sequence}, and has heard ${wire.heard}`;
        });
        return;
      case "auth":
        return;
      default:
        must(false, "protocol", () => `${name}: says a ${item.kind}`);
    }
  }

  #hearsItem(wire: Wire, item: GatewayItem): void {
    const { name, environment, user } = this.#options;
    switch (item.kind) {
      case "opened":
        this.#checkCommitted(item.zxid);
        wire.opened = item;
        // Until then it could only wait. What follows at once comes before its user has heard of the connection.
        wire.saidMs = environment.clock.nowMs();
        return;
      case "pong":
        asked(wire, wire.pingsMs.shift());
        user.isAlive();
        this.#checkCommitted(item.zxid);
        return;
      case "result":
        this.#result(wire, item);
        return;
      case "changes":
        wire.streams.hears(item);
        return;
      case "compacted":
        environment.trace.note(
          name,
          `stream ${item.stream} is compacted up to ${formatZxid(item.oldest)}`,
        );
        wire.streams.hears(item);
        return;
      case "streamRefused":
        return must(false, "protocol", () => `${name}: a stream was refused: ${item.code}`);
      case "ended":
        must(!WRONG.has(item.reason), "protocol", () => {
          return `${name}: the gateway ends with ${item.reason}`;
        });
        return;
      default:
        item satisfies never;
    }
  }

  #checkCommitted(zxid: Zxid): void {
    const { name, environment } = this.#options;
    const { latest } = environment.truth;
    must(zxid <= latest, "true replies", () => {
      return `${name}: ${formatZxid(zxid)} is not committed, ${formatZxid(latest)} is`;
    });
  }

  #result(wire: Wire, answer: Told): void {
    const { name, who, environment, user } = this.#options;
    const { truth, counts } = environment;
    const sent = wire.pending.get(answer.id);
    must(sent !== undefined, "exactly once", () => {
      return `${name}: an answer to request ${answer.id}, which waits for none`;
    });
    wire.pending.delete(answer.id);
    sent.told = answer;
    asked(wire, sent.askedMs);
    const { zxid, result } = answer;
    this.#checkCommitted(zxid);
    if (wire.toldClients !== undefined) told(wire.toldClients, zxid);
    const code = result.kind === "error" ? result.code : Code.ok;
    const ended = code === Code.sessionExpired || code === Code.sessionMoved;
    if (!ended) user.isAlive();
    const { request, place, attachment } = sent;
    if (request.kind !== "write") {
      counts.reads += 1;
      // The gateway says who a client is, and looks at no znode.
      if (request.kind === "read") {
        this.#checkOrder(sent, zxid);
        checkOneServer(name, zxid, sent.toldBefore);
      }
      checkNativeRead(truth.model, { name, who, session: undefined }, request, answer);
    } else if (sent.earlier !== undefined) {
      this.#checkAgain(sent.earlier, request, answer);
    } else if (isRefusal(attachment, place, { code, zxid })) {
      counts.refused += 1;
      takeRefusal(attachment, place);
    } else {
      this.#checkWrite(sent, answer);
    }
  }

  #earlier(
    { opened, attachment }: Wire,
    { id, request }: Extract<ClientItem, { readonly kind: "request" }>,
  ): Earlier | undefined {
    const { numbered } = this.#options.environment.truth;
    if (request.kind !== "write" || request.operation.kind === "closeSession") return undefined;
    return numbered.before(opened?.session ?? 0, id, attachment.attachedAt ?? 0);
  }

  /** What was done is answered with what it came to then; what was passed over is said not to be done. */
  #checkAgain(
    earlier: Earlier,
    request: Extract<NativeRequest, { readonly kind: "write" }>,
    { zxid, result }: Told,
  ): void {
    const { name, environment } = this.#options;
    const what = (): string => `${name}: ${textOf(request.operation)}, asked again`;
    if (earlier.kind === "notDone") {
      const isRefused = result.kind === "error" && result.code === Code.throttled;
      must(isRefused, "exactly once", () => `${what()}, was not done and is a ${result.kind}`);
      return;
    }
    must(zxid === earlier.zxid, "exactly once", () => {
      return `${what()} is answered at ${formatZxid(zxid)}, done at ${formatZxid(earlier.zxid)}`;
    });
    const applied = environment.truth.operationAt(zxid);
    const problem =
      applied === undefined ? "no such zxid" : nativeWriteProblem(result, applied.result);
    must(problem === undefined, "true replies", () => `${what()}: ${problem}`);
    environment.truth.acknowledged = Math.max(environment.truth.acknowledged, zxid) as Zxid;
    environment.counts.repeated += 1;
  }

  /** A read sees all that its connection wrote before it, nothing that came after, and nothing older than its client has seen. */
  #checkOrder({ attachment, place, seen }: Sent, zxid: Zxid): void {
    const { name } = this.#options;
    const { committed, mayBeRefused } = attachment;
    must(zxid >= seen, "monotone reads", () => {
      return `${name}: a read of ${formatZxid(zxid)} after ${formatZxid(seen)}`;
    });
    // What was refused has no zxid.
    const before = committed.slice(0, place).findLast((each) => each !== undefined) ?? ZXID_NONE;
    const next = committed.slice(place).find((each) => each !== undefined);
    const isWhole = mayBeRefused || committed.length >= place;
    must(isWhole && before <= zxid && (next === undefined || next > zxid), "session order", () => {
      return `${name}: a read of ${formatZxid(zxid)} between writes at ${before} and ${next}`;
    });
  }

  #checkWrite({ attachment, request, after, place }: Sent, { zxid, result }: Told): void {
    const { name, environment } = this.#options;
    const { truth, counts } = environment;
    if (request.kind !== "write") return;
    const { operation } = request;
    const what = (): string => `${name}: ${textOf(operation)} at ${formatZxid(zxid)}`;
    const committed = attachment.committed[place];
    must(committed === zxid, "exactly once", () => {
      return `${what()}, committed at ${committed ?? "no zxid"}`;
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
  }
}

/** What was asked then has been answered. */
function asked({ answer }: Wire, atMs: number | undefined): void {
  answer.askedMs = Math.max(answer.askedMs, atMs ?? 0);
}
