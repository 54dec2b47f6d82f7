/** Reads replies into texts, field by field, with the numbers marked that differ from server to server. */
import { JuteReader } from "../../support/jute.ts";
import { KINDS, type ReplyField } from "./operations.ts";

/** A part of a reply: text, or a number that has to be mapped. A time belongs to the zxid of its change. */
export type Token =
  | string
  | { readonly kind: "zxid"; readonly value: bigint }
  | { readonly kind: "time"; readonly value: bigint; readonly zxid: bigint }
  | { readonly kind: "session"; readonly value: bigint };

const BY_CODE: ReadonlyMap<number, readonly ReplyField[]> = new Map(
  Object.values(KINDS).map(({ code, reply }) => [code, reply]),
);

/** Throws if the bytes are not exactly these fields. */
export function readBody(bytes: Buffer, fields: readonly ReplyField[]): readonly Token[] {
  const reader = new JuteReader(bytes);
  const tokens = fields.flatMap((field) => [" ", ...readField(reader, field)]);
  reader.end();
  return tokens;
}

function readField(reader: JuteReader, field: ReplyField): readonly Token[] {
  switch (field) {
    case "text":
    case "data":
      return [textOf(reader)];
    case "int":
      return [String(reader.int())];
    case "texts":
      return [`[${textsOf(reader).join(", ")}]`];
    case "sortedTexts":
      return [`[${textsOf(reader).toSorted().join(", ")}]`];
    case "acl": {
      const count = reader.int();
      const entries = Array.from({ length: Math.max(0, count) }, () => {
        return `${reader.int()}:${textOf(reader)}:${textOf(reader)}`;
      });
      return [`${count}[${entries.join(", ")}]`];
    }
    case "identities": {
      const count = reader.int();
      const entries = Array.from({ length: Math.max(0, count) }, () => {
        return `${textOf(reader)}:${textOf(reader)}`;
      });
      return [`${count}[${entries.join(", ")}]`];
    }
    case "stat":
      return readStat(reader);
    case "results":
      return readResults(reader);
    default:
      return field satisfies never;
  }
}

/** In quotes, a byte a character, so that two texts are equal only if all of their bytes are. */
function textOf(reader: JuteReader): string {
  const bytes = reader.buffer();
  return bytes === null ? "null" : JSON.stringify(bytes.toString("latin1"));
}

function textsOf(reader: JuteReader): string[] {
  return Array.from({ length: Math.max(0, reader.int()) }, () => textOf(reader));
}

function readStat(reader: JuteReader): readonly Token[] {
  const [czxid, mzxid, ctime, mtime] = [reader.long(), reader.long(), reader.long(), reader.long()];
  const [version, cversion, aversion] = [reader.int(), reader.int(), reader.int()];
  const owner = reader.long();
  const [dataLength, numChildren, pzxid] = [reader.int(), reader.int(), reader.long()];
  return [
    ...[
      "{c=",
      { kind: "zxid", value: czxid } as const,
      " m=",
      { kind: "zxid", value: mzxid } as const,
    ],
    ...[" p=", { kind: "zxid", value: pzxid } as const],
    ...[" ctime=", { kind: "time", value: ctime, zxid: czxid } as const],
    ...[" mtime=", { kind: "time", value: mtime, zxid: mzxid } as const],
    ` v=${version} cv=${cversion} av=${aversion} owner=`,
    { kind: "session", value: owner },
    ` length=${dataLength} children=${numChildren}}`,
  ];
}

/** Each result of a multi says by its own type how it is read. */
function readResults(reader: JuteReader): readonly Token[] {
  const tokens: Token[] = [];
  for (;;) {
    const [type, isDone, code] = [reader.int(), reader.bool(), reader.int()];
    if (isDone) return [...tokens, `done(${type},${code})`];
    tokens.push(`(${type},${code}:`);
    if (type === -1) tokens.push(String(reader.int()));
    else for (const field of BY_CODE.get(type) ?? []) tokens.push(...readField(reader, field));
    tokens.push(") ");
  }
}
