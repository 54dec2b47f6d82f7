/**
 * The committed history of a run: every record in zxid order as the first node delivered it, applied to the model. What nodes
 * deliver, lanes hold and clients are told is compared with it.
 */
import { crc32 } from "node:zlib";
import type { RemovalLimits } from "../../../actors/tree/removal-limits.ts";
import { Code } from "../../../protocol/codes.ts";
import { decodeBatch } from "../../../protocol/batch.ts";
import type { ClientOperation, Operation, OperationResult } from "../../../protocol/operations.ts";
import type { ServerId, Submitter } from "../../../protocol/ids.ts";
import { recordHeader, recordPayload, type RecordHeader } from "../../../protocol/record.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { aclText, type SimIdentity, type SimWho, stored } from "../client/identities.ts";
import { Model } from "./model.ts";
import { Numbered } from "./numbered.ts";
import { must } from "./violation.ts";

export type Applied = {
  readonly operation: Operation;
  readonly result: OperationResult;
};

/** What one connection sent after its session was attached through it. */
export type Attachment = {
  readonly client: string;
  /** Who the client is there. */
  readonly who: SimWho;
  /** Writes in the order in which they were sent. */
  readonly sent: ClientOperation[];
  /** By place, the numbers of those that have one. */
  readonly numbers: number[];
  /** By place, the zxids of those that are committed. One that was passed over has none. */
  readonly committed: (Zxid | undefined)[];
  /** Undefined until it is known. */
  attachedAt: number | undefined;
  /** Its node has refused writes at some time since: what it refuses is passed over. */
  mayBeRefused: boolean;
  /** Places of those that the client knows to be refused. */
  readonly refused: Set<number>;
};

export function newAttachment(client: string, who: SimWho): Attachment {
  const none = { sent: [], numbers: [], committed: [], attachedAt: undefined };
  return { client, who, ...none, mayBeRefused: false, refused: new Set() };
}

/** The client has sent this write. */
export function send(
  { sent, numbers, who }: Attachment,
  operation: ClientOperation,
  number?: number,
): void {
  if (number !== undefined) numbers[sent.length] = number;
  sent.push(asStored(operation, who));
}

/** With the lists that the log is to hold. */
function asStored(operation: ClientOperation, who: SimWho): ClientOperation {
  switch (operation.kind) {
    case "create":
    case "setAcl":
      return { ...operation, acl: stored(operation.acl, who) };
    case "multi": {
      const operations = operation.operations.map((each) =>
        each.kind === "create" ? { ...each, acl: stored(each.acl, who) } : each,
      );
      return { kind: "multi", operations };
    }
    default:
      return operation;
  }
}

type Committed = { readonly checksum: number; readonly prevZxid: Zxid };

export class Truth {
  readonly model: Model;
  /** Through the last record that any node delivered. */
  latest: Zxid = ZXID_NONE;
  /** The time of that record. */
  latestMs = 0;
  /** The largest zxid that any client was told of as the result of a write. */
  acknowledged: Zxid = ZXID_NONE;
  /** Called when a session is ended by the leader's decision. */
  onExpired: (session: number, timeoutMs: number) => void = () => {};
  /** Called once for each record, before it is applied. */
  onCommitted: (node: number, header: RecordHeader) => void = () => {};
  readonly numbered: Numbered = new Numbered();
  readonly #records = new Map<Zxid, Committed>();
  readonly #operations = new Map<Zxid, Applied>();
  readonly #attachments = new Map<number, Attachment>();
  /** By session: how often its client has asked for it, and how often it was attached. */
  readonly #handshakes = new Map<number, { asked: number; attached: number }>();
  readonly #submitters = new Map<number, { incarnation: number; seq: number }>();

  /** `removals`: what every node has for them. */
  constructor(removals: RemovalLimits) {
    this.model = new Model(removals);
  }

  operationAt(zxid: Zxid): Applied | undefined {
    return this.#operations.get(zxid);
  }

  attach(attachedAt: number, attachment: Attachment): void {
    attachment.attachedAt = attachedAt;
    this.#attachments.set(attachedAt, attachment);
  }

  /** A client has been given this session, or attached to it. */
  knows(session: number): void {
    if (!this.#handshakes.has(session)) this.#handshakes.set(session, { asked: 0, attached: 0 });
  }

  /** A client of this session has sent a handshake that may be answered. */
  asksFor(session: number): void {
    const handshakes = this.#handshakes.get(session);
    if (handshakes !== undefined) handshakes.asked += 1;
  }

  /** Whoever may not have a session does not take it from whom it belongs to. */
  #attached(session: number, zxid: Zxid): void {
    const handshakes = this.#handshakes.get(session);
    if (handshakes === undefined) return;
    handshakes.attached += 1;
    must(handshakes.attached <= handshakes.asked, "one connection", () => {
      const { asked } = handshakes;
      return `session 0x${session.toString(16)} is attached once more at ${formatZxid(zxid)}, and was asked for ${asked} times`;
    });
  }

  /** A node says that this record is committed. */
  deliver(node: number, record: Uint8Array): void {
    const header = recordHeader(record);
    const { lastZxid, prevZxid } = header;
    const checksum = crc32(record);
    const known = this.#records.get(lastZxid);
    if (known !== undefined) {
      must(known.checksum === checksum, "I2 equal logs", () => {
        return `node ${node} committed another record at ${formatZxid(lastZxid)}`;
      });
      return;
    }
    must(prevZxid === this.latest, "I2 equal logs", () => {
      const after = `${formatZxid(lastZxid)} after ${formatZxid(prevZxid)}`;
      return `node ${node} committed ${after}, where ${formatZxid(this.latest)} is committed`;
    });
    this.#records.set(lastZxid, { checksum, prevZxid });
    must(header.timeMs >= this.latestMs, "time", () => {
      return `the record at ${formatZxid(lastZxid)} is of ${header.timeMs}, the one before it of ${this.latestMs}`;
    });
    this.latest = lastZxid;
    this.latestMs = header.timeMs;
    this.onCommitted(node, header);
    if (header.kind === "batch" && this.#isNew(header)) this.#apply(header, recordPayload(record));
  }

  /** The last committed batch of every submitter. */
  *batches(): Iterable<{ readonly submitter: Submitter; readonly seq: number }> {
    for (const [key, { incarnation, seq }] of this.#submitters) {
      const server = Math.floor(key / 0x1_0000) as ServerId;
      yield { submitter: { server, lane: key % 0x1_0000, incarnation }, seq };
    }
  }

  /** Whether a record that ends here is committed. */
  holds(lastZxid: Zxid): boolean {
    return lastZxid === ZXID_NONE || this.#records.has(lastZxid);
  }

  #isNew({ submitter, seq, lastZxid }: RecordHeader): boolean {
    if (submitter === undefined) return true;
    const key = submitter.server * 0x1_0000 + submitter.lane;
    const last = this.#submitters.get(key);
    const { incarnation } = submitter;
    if (last !== undefined && incarnation < last.incarnation) return false;
    const lastSeq = last?.incarnation === incarnation ? last.seq : 0;
    if (seq <= lastSeq) return false;
    must(seq === lastSeq + 1, "session order", () => {
      const lane = `lane ${submitter.lane} of node ${submitter.server}`;
      return `batch ${seq} of ${lane} follows ${lastSeq} at ${formatZxid(lastZxid)}`;
    });
    this.#submitters.set(key, { incarnation, seq });
    return true;
  }

  #apply(header: RecordHeader, payload: Uint8Array): void {
    const operations = decodeBatch(payload);
    this.model.quotasEnforced = header.quotasEnforced === true;
    this.model.removals.begin();
    operations.forEach((operation, index) => {
      const zxid = (header.firstZxid + index) as Zxid;
      if (operation.kind === "client") {
        if (!tellsAnswered(operation)) this.#follow(operation, zxid);
        this.#recognise(operation);
      }
      const expiring =
        operation.kind === "expireSession" ? this.model.sessions.get(operation.session) : undefined;
      const result = this.model.apply(operation, zxid, header.timeMs);
      this.#operations.set(zxid, { operation, result });
      if (operation.kind === "client" && !tellsAnswered(operation)) {
        this.#done(operation, result, zxid);
      }
      if (operation.kind === "attachSession" && result.kind === "session") {
        this.#attached(operation.session, zxid);
      }
      if (expiring !== undefined && !this.model.sessions.has(expiring.id)) {
        this.onExpired(expiring.id, expiring.timeoutMs);
      }
    });
  }

  /** Writes of one connection are committed in the order in which it sent them, each once, and nothing else is. */
  #follow(
    { attachedAt, operation, request }: Extract<Operation, { readonly kind: "client" }>,
    zxid: Zxid,
  ): void {
    const attachment = this.#attachments.get(attachedAt);
    must(attachment !== undefined, "exactly once", () => {
      return `${operation.kind} at ${formatZxid(zxid)} was sent by nobody`;
    });
    const { client, sent, committed } = attachment;
    const place = placeOf(attachment, operation, request?.number);
    const next = sent[place];
    must(next !== undefined && isSameOperation(next, operation), "session order", () => {
      const expected = next === undefined ? "nothing" : textOf(next);
      return `${client}: ${textOf(operation)} is committed at ${formatZxid(zxid)}, ${expected} was next`;
    });
    committed[place] = zxid;
  }

  #done(
    { session, request }: Extract<Operation, { readonly kind: "client" }>,
    result: OperationResult,
    zxid: Zxid,
  ): void {
    if (request === undefined) return;
    const code = result.kind === "error" ? result.code : Code.ok;
    if (code === Code.sessionMoved || code === Code.sessionExpired) return;
    this.numbered.done(session, request.number, zxid);
  }

  /** A write has what its client has proved, and nothing that another has. */
  #recognise({
    session,
    attachedAt,
    identities = [],
  }: Extract<Operation, { readonly kind: "client" }>): void {
    const attachment = this.#attachments.get(attachedAt);
    if (attachment === undefined) return;
    const { client, who } = attachment;
    const known = this.model.sessions.get(session);
    const text = (each: readonly SimIdentity[]): string =>
      each.map(({ scheme, id }) => `${scheme}:${id}`).join(" ");
    must(text(identities) === text(who.identities), "identities", () => {
      return `${client} is taken for [${text(identities)}], and is [${text(who.identities)}]`;
    });
    if (known?.attachedAt !== attachedAt) return;
    must(known.address === who.address, "identities", () => {
      return `${client} comes from ${who.address ?? "nowhere"}, not from ${known.address ?? "nowhere"}`;
    });
  }
}

/** It changes nothing, and is no client's. */
function tellsAnswered({ request }: Extract<Operation, { readonly kind: "client" }>): boolean {
  return request?.number === 0;
}

/** Returns the place of the next write. If writes may have been refused, it is that of the first equal one. */
function placeOf(attachment: Attachment, operation: ClientOperation, number?: number): number {
  const { sent, numbers, committed, mayBeRefused, refused } = attachment;
  const next = committed.length;
  if (number !== undefined) {
    const place = numbers.indexOf(number);
    const isNext = place === next || (place > next && mayBeRefused);
    return isNext && !refused.has(place) ? place : sent.length;
  }
  if (!mayBeRefused) return next;
  for (let place = next; place < sent.length; place += 1) {
    const each = sent[place];
    if (each !== undefined && !refused.has(place) && isSameOperation(each, operation)) return place;
  }
  return next;
}

/**
 * The answers of refusals because a disk or a memory is full. They promise that the operation was not done. What a quota forbids is
 * committed, and refused at its own zxid.
 */
export function isRefusal(
  { committed }: Attachment,
  place: number,
  { code, zxid }: { readonly code: number; readonly zxid: Zxid },
): boolean {
  if (code === Code.quotaExceeded) return committed[place] !== zxid;
  return code === Code.notReadOnly;
}

/** The client was told that what it sent at this place is refused: it is not committed, and never will be. */
export function takeRefusal(attachment: Attachment, place: number): void {
  const { client, sent, committed, mayBeRefused, refused } = attachment;
  const operation = sent[place];
  const what = (): string => `${client}: ${operation === undefined ? "" : textOf(operation)}`;
  must(mayBeRefused, "refused is not done", () => `${what()} is refused, there was room`);
  refused.add(place);
  if (attachment.numbers[place] !== undefined) {
    must(committed[place] === undefined, "refused is not done", () => {
      return `${what()} is refused, and committed at ${formatZxid(committed[place] as Zxid)}`;
    });
    return;
  }
  // If several are equal, the one that was committed may have been a later one.
  const after = committed.splice(place);
  for (let index = 0; index < after.length; index += 1) {
    const zxid = after[index];
    const done = sent[place + index];
    if (zxid === undefined || done === undefined) continue;
    const there = placeOf(attachment, done);
    const other = sent[there];
    must(other !== undefined && isSameOperation(other, done), "refused is not done", () => {
      return `${what()} is refused, and committed at ${formatZxid(zxid)}`;
    });
    committed[there] = zxid;
  }
}

export function isSameOperation(a: ClientOperation, b: ClientOperation): boolean {
  switch (a.kind) {
    case "closeSession":
      return b.kind === "closeSession";
    case "multi":
      return (
        b.kind === "multi" &&
        a.operations.length === b.operations.length &&
        a.operations.every((each, index) => {
          const other = b.operations[index];
          return other !== undefined && isSameOperation(each, other);
        })
      );
    case "create":
      return (
        b.kind === "create" &&
        a.path === b.path &&
        a.unlessExists === b.unlessExists &&
        a.mode.ephemeral === b.mode.ephemeral &&
        a.mode.sequential === b.mode.sequential &&
        a.mode.lifetime === b.mode.lifetime &&
        aclText(a.acl) === aclText(b.acl) &&
        sameBytes(a.data, b.data)
      );
    case "setData":
      return (
        b.kind === "setData" &&
        a.path === b.path &&
        a.version === b.version &&
        sameBytes(a.data, b.data)
      );
    case "sync":
      return b.kind === "sync" && a.path === b.path;
    case "removeRecursive":
      return b.kind === a.kind && a.path === b.path && a.znodesMax === b.znodesMax;
    case "checkStat":
      return b.kind === a.kind && JSON.stringify(a) === JSON.stringify(b);
    case "refusal":
      return b.kind === "refusal" && a.path === b.path && a.code === b.code;
    case "setAcl":
      return (
        b.kind === "setAcl" &&
        a.path === b.path &&
        a.version === b.version &&
        aclText(a.acl) === aclText(b.acl)
      );
    default:
      return a.kind === b.kind && a.path === b.path && a.version === b.version;
  }
}

export function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

export function textOf(operation: ClientOperation): string {
  switch (operation.kind) {
    case "closeSession":
      return "closeSession";
    case "multi":
      return `multi(${operation.operations.map(textOf).join(", ")})`;
    case "create":
    case "setData": {
      const data =
        operation.data === null ? "null" : Buffer.from(operation.data).toString("latin1");
      return `${operation.kind} ${operation.path} ${data.slice(0, 40)}`;
    }
    default:
      return `${operation.kind} ${operation.path}`;
  }
}
