/** Writes requests and handshakes as they go over the wire. */
import { JuteWriter } from "../../support/jute.ts";
import { type Field, kindOf } from "./operations.ts";
import type { AclList, Bytes, Handshake, Request, Seen, Text } from "./program.ts";

/** What is known only while the program runs. */
export type Known = {
  /** The program's own path. */
  readonly base: Bytes;
  /** The last zxid that the client was told. */
  readonly lastZxid: bigint;
};

/** What a reconfig asks for: who joins, who leaves, and who are members then. */
const SERVERS: readonly Text[] = ["server.4=127.0.0.1:1:2;3", null, null];
const FUTURE_ZXID = 0x7000_0000_0000_0000n;
const HUGE_PASSWORD_BYTES = 5000;

/** Returns the frame of the request. */
export function encodeRequest(request: Request, xid: number, known: Known): Buffer {
  const writer = new JuteWriter().int(xid).int(request.code ?? kindOf(request).code);
  writeFields(writer, request, known);
  return framed(writer.bytes(), request);
}

function writeFields(writer: JuteWriter, request: Request, known: Known): void {
  for (const field of kindOf(request).fields) writeField(writer, field, request, known);
}

function writeField(writer: JuteWriter, field: Field, request: Request, known: Known): void {
  switch (field) {
    case "path":
      writePath(writer, request.path, known);
      return;
    case "data":
      writeText(writer, request.data ?? null);
      return;
    case "acl":
      writeAcl(writer, request.acl ?? null);
      return;
    case "proof": {
      const { perms, scheme, id } = request.proof ?? { perms: 0, scheme: null, id: null };
      writer.int(perms);
      writeText(writer, scheme);
      writeText(writer, id);
      return;
    }
    case "servers":
      for (const servers of SERVERS) writeText(writer, servers);
      writer.long(-1n);
      return;
    case "ttl":
      writer.long(BigInt(request.ttl ?? 0));
      return;
    case "flags":
    case "version":
    case "type":
      writer.int(request[field] ?? 0);
      return;
    case "watch":
      writer.raw(Buffer.from([request.watch ?? 0]));
      return;
    case "seen":
      writer.long(zxidSeen(request.seen ?? "none", known));
      return;
    case "lists":
      for (const list of request.lists ?? []) writeList(writer, list, known);
      return;
    case "members":
      for (const member of request.members ?? []) {
        writer
          .int(member.code ?? kindOf(member).code)
          .bool(false)
          .int(-1);
        writeFields(writer, member, known);
      }
      writer.int(-1).bool(true).int(-1);
      return;
    default:
      field satisfies never;
  }
}

export function encodeHandshake(
  handshake: Handshake,
  session: { readonly id: bigint; readonly password: Buffer },
  known: Known,
): Buffer {
  const writer = new JuteWriter().int(handshake.version).long(zxidSeen(handshake.seen, known));
  writer.int(handshake.timeoutMs).long(session.id).buffer(passwordOf(handshake, session.password));
  if (handshake.readOnly !== undefined) writer.raw(Buffer.from([handshake.readOnly]));
  return framed(writer.bytes(), handshake);
}

function passwordOf({ password }: Handshake, own: Buffer): Buffer | null {
  switch (password) {
    case "own":
      return own;
    case "wrong":
      return Buffer.alloc(16, 7);
    case "short":
      return own.subarray(0, 8);
    case "null":
      return null;
    case "long":
      return Buffer.concat([own, Buffer.alloc(10)]);
    case "huge":
      return Buffer.concat([own, Buffer.alloc(HUGE_PASSWORD_BYTES)]);
    default:
      return password satisfies never;
  }
}

function zxidSeen(seen: Seen, { lastZxid }: Known): bigint {
  switch (seen) {
    case "none":
      return 0n;
    case "last":
      return lastZxid;
    case "future":
      return FUTURE_ZXID;
    case "negative":
      return -1n;
    default:
      return seen satisfies never;
  }
}

function framed(
  payload: Buffer,
  { tail, cut }: { readonly tail?: Bytes; readonly cut?: number },
): Buffer {
  const kept = payload.subarray(0, Math.max(8, payload.length - (cut ?? 0)));
  return new JuteWriter().buffer(Buffer.concat([kept, Buffer.from(tail ?? "", "latin1")])).bytes();
}

/** The znode below which a program does what it does. */
export function ownZnode(base: Bytes): Bytes {
  return `${base}/p`;
}

function writePath(writer: JuteWriter, path: Text, { base }: Known): void {
  writeText(writer, path === null ? null : path.replace("^", base).replace("~", ownZnode(base)));
}

function writeText(writer: JuteWriter, text: Text): void {
  writer.buffer(text === null ? null : Buffer.from(text, "latin1"));
}

function writeList(writer: JuteWriter, list: readonly Text[] | null, known: Known): void {
  writer.int(list === null ? -1 : list.length);
  for (const path of list ?? []) writePath(writer, path, known);
}

function writeAcl(writer: JuteWriter, acl: AclList): void {
  writer.int(acl === null ? -1 : acl.length);
  for (const { perms, scheme, id } of acl ?? []) {
    writer.int(perms);
    writeText(writer, scheme);
    writeText(writer, id);
  }
}
