/**
 * Makes lines of a recording that are equal for servers that behave alike: zxids become the write of the program that they are of,
 * or the last before; sessions the connection that they were granted to; times whether they are those of their zxid.
 */
import type { Received } from "./connection.ts";
import { ownZnode } from "./encode.ts";
import { kindOf } from "./operations.ts";
import { isShared } from "./paths.ts";
import type { Request } from "./program.ts";
import { readBody, type Token } from "./replies.ts";
import { isBarrier, type Played, type Recording, type Sent } from "./run.ts";

export type Line = {
  readonly kind: "reply" | "event" | "handshake" | "closed" | "silent";
  /** All that is compared but for a header's zxid. */
  readonly text: string;
  /** A header's zxid: the write, or the last write before it. Empty where it is not compared. */
  readonly zxid: string;
  readonly request?: Request;
  readonly code?: number;
};

/** What each connection received in each step. */
export type Lines = ReadonlyMap<number, ReadonlyMap<number, readonly Line[]>>;

export function areEqual(theirs: readonly Line[], ours: readonly Line[]): boolean {
  return theirs.length === ours.length && theirs.every((line, at) => isEqual(line, ours[at]));
}

export function isEqual(line: Line, other: Line | undefined): boolean {
  return line.text === other?.text && line.zxid === other.zxid;
}

/** Requests that a server refuses for how they are asked: not every server takes a zxid for them. */
const WITHOUT_ZXID: ReadonlySet<number> = new Set([-5, -6, -8]);
const HEADER_BYTES = 16;
const EVENT_XID = -1;

export function linesOf(recording: Recording): Lines {
  const names = new Names(recording);
  const all = new Map<number, Map<number, Line[]>>();
  for (const played of recording.clients) {
    for (const { step, line } of linesOfClient(played, names)) {
      const ofStep = all.get(step) ?? new Map<number, Line[]>();
      all.set(step, ofStep);
      const lines = ofStep.get(played.client) ?? [];
      ofStep.set(played.client, lines);
      lines.push(line);
    }
  }
  return all;
}

type Numbered = { readonly step: number; readonly line: Line };

function linesOfClient(played: Played, names: Names): readonly Numbered[] {
  const lines: Numbered[] = [];
  const answered = new Map<number, number>();
  let lastZxid = 0n;
  for (const [index, entry] of played.connection.received.entries()) {
    const { step } = entry;
    if (entry.kind === "closed")
      lines.push({ step, line: { kind: "closed", text: "closed", zxid: "" } });
    else if (index === 0) lines.push({ step, line: handshakeLine(entry.bytes, names) });
    else if (entry.bytes.length < HEADER_BYTES) lines.push({ step, line: unreadable(entry.bytes) });
    else {
      const xid = entry.bytes.readInt32BE(0);
      const zxid = entry.bytes.readBigInt64BE(4);
      if (xid === EVENT_XID) {
        lines.push({ step, line: eventLine(entry.bytes, names) });
        continue;
      }
      const falls =
        zxid > 0n && zxid < lastZxid ? ` its zxid is below that of the reply before` : "";
      if (zxid > lastZxid) lastZxid = zxid;
      if (isBarrier(xid)) continue;
      const line = replyLine(entry.bytes, takeSent(played, answered, xid), names);
      lines.push({ step, line: falls === "" ? line : { ...line, text: `${line.text}${falls}` } });
    }
  }
  for (const step of played.silent) {
    lines.push({ step, line: { kind: "silent", text: "no answer", zxid: "" } });
  }
  return lines;
}

function takeSent(played: Played, answered: Map<number, number>, xid: number): Sent | undefined {
  const count = answered.get(xid) ?? 0;
  answered.set(xid, count + 1);
  return played.sent.get(xid)?.[count];
}

function handshakeLine(bytes: Buffer, names: Names): Line {
  if (bytes.length < 36) return unreadable(bytes);
  const [version, timeoutMs] = [bytes.readInt32BE(0), bytes.readInt32BE(4)];
  const session = names.session(bytes.readBigInt64BE(8));
  const length = bytes.readInt32BE(16);
  const password = bytes.subarray(20, 36).every((byte) => byte === 0) ? "of zeroes" : "";
  const rest = bytes.subarray(36).toString("hex");
  const text = `granted version=${version} timeout=${timeoutMs} ${session} password=${length} ${password} rest=${rest}`;
  return { kind: "handshake", text, zxid: "" };
}

function eventLine(bytes: Buffer, names: Names): Line {
  const body = names.render(readSafely(bytes.subarray(HEADER_BYTES), ["int", "int", "text"]));
  return { kind: "event", text: `event err=${bytes.readInt32BE(12)}${body}`, zxid: "" };
}

function replyLine(bytes: Buffer, sent: Sent | undefined, names: Names): Line {
  const code = bytes.readInt32BE(12);
  const body = bytes.subarray(HEADER_BYTES);
  if (sent === undefined) {
    return {
      kind: "reply",
      text: `reply to ? err=${code} ${body.toString("hex")}`,
      zxid: "",
      code,
    };
  }
  const { request, index } = sent;
  const kind = kindOf(request);
  // What all programs share tells of the others.
  const isHidden = isShared(request.path) && code === 0 && !kind.isWrite && request.op !== "sync";
  const tokens = isHidden ? [" …"] : readSafely(body, code === 0 ? kind.reply : []);
  const isCompared = !kind.isWrite || !WITHOUT_ZXID.has(code);
  const zxid = isCompared ? names.floor(bytes.readBigInt64BE(4)) : "";
  const text = `reply to ${index} ${request.op} err=${code}${names.render(tokens)}`;
  return { kind: "reply", text, zxid, request, code };
}

function unreadable(bytes: Buffer): Line {
  return { kind: "reply", text: `bytes ${bytes.toString("hex")}`, zxid: "" };
}

function readSafely(bytes: Buffer, fields: Parameters<typeof readBody>[1]): readonly Token[] {
  try {
    return readBody(bytes, fields);
  } catch {
    return [` unreadable ${bytes.toString("hex")}`];
  }
}

type Write = { readonly zxid: bigint; readonly name: string };

/** Names numbers by what the program did. */
class Names {
  readonly #base: string;
  readonly #writes: Write[] = [];
  readonly #sessions = new Map<bigint, string>();
  readonly #times = new Map<bigint, bigint>();

  constructor({ base, clients }: Recording) {
    this.#base = base;
    for (const { client, session } of clients) {
      if (session.id !== 0n && !this.#sessions.has(session.id)) {
        this.#sessions.set(session.id, `session of ${client}`);
      }
    }
    for (const played of clients) {
      const answered = new Map<number, number>();
      for (const entry of played.connection.received.slice(1)) {
        const write = writeOf(played, answered, entry);
        if (write !== undefined) this.#writes.push(write);
      }
    }
    this.#writes.sort((left, right) => (left.zxid < right.zxid ? -1 : 1));
  }

  session(id: bigint): string {
    return id === 0n ? "no session" : (this.#sessions.get(id) ?? `owner ${id.toString(16)}`);
  }

  /** The last write at this zxid or before. */
  floor(zxid: bigint): string {
    if (zxid <= 0n) return String(zxid);
    return this.#writes.findLast((write) => write.zxid <= zxid)?.name ?? "before all";
  }

  #exact(zxid: bigint): string {
    const isOfWrite = zxid <= 0n || this.#writes.some((write) => write.zxid === zxid);
    return isOfWrite ? this.floor(zxid) : `behind ${this.floor(zxid)}`;
  }

  #time(time: bigint, zxid: bigint): string {
    if (time <= 0n) return String(time);
    const known = this.#times.get(zxid) ?? time;
    this.#times.set(zxid, known);
    const isTime = time > 1_600_000_000_000n && time < 10_000_000_000_000n;
    return known === time && isTime ? "its" : `${time}, not its`;
  }

  render(tokens: readonly Token[]): string {
    const text = tokens.map((token) => {
      if (typeof token === "string") return token;
      switch (token.kind) {
        case "zxid":
          return this.#exact(token.value);
        case "time":
          return this.#time(token.value, token.zxid);
        case "session":
          return token.value === 0n ? "0" : this.session(token.value);
        default:
          return token satisfies never;
      }
    });
    return text.join("").replaceAll(ownZnode(this.#base), "~").replaceAll(this.#base, "^");
  }
}

/** The write that this answers with success, since all servers take a zxid for it. */
function writeOf(
  played: Played,
  answered: Map<number, number>,
  entry: Received,
): Write | undefined {
  if (entry.kind === "closed" || entry.bytes.length < HEADER_BYTES) return undefined;
  const sent = takeSent(played, answered, entry.bytes.readInt32BE(0));
  if (sent === undefined || !kindOf(sent.request).isWrite) return undefined;
  const isDone = entry.bytes.readInt32BE(12) === 0;
  const isFailedMulti = sent.request.op === "multi" && !startsWithResult(entry.bytes);
  if (!isDone || isFailedMulti) return undefined;
  return { zxid: entry.bytes.readBigInt64BE(4), name: `${sent.step}.${sent.index}` };
}

function startsWithResult(bytes: Buffer): boolean {
  return bytes.length > HEADER_BYTES + 4 && bytes.readInt32BE(HEADER_BYTES) !== -1;
}
