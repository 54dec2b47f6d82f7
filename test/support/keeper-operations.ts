/** Requests that ClickHouse Keeper has beyond ZooKeeper's, for tests: written from the description of its format alone. */
import { type JuteReader, JuteWriter } from "./jute.ts";
import {
  create,
  type CreateOptions,
  type Data,
  type Operation,
  type Text,
} from "./zookeeper-client/operations.ts";

const ok = (): Text => ["ok"];

/** Fields of a Stat, in their order, with how many bytes each has. */
const FIELDS = [
  ...["czxid", "mzxid", "ctime", "mtime"].map((name) => [name, 8] as const),
  ...["version", "cversion", "aversion"].map((name) => [name, 4] as const),
  ["ephemeralOwner", 8],
  ["dataLength", 4],
  ["numChildren", 4],
  ["pzxid", 8],
] as const satisfies readonly (readonly [string, 4 | 8])[];

export type StatFields = Readonly<Record<string, number>>;

export function readFields(reader: JuteReader): StatFields {
  return Object.fromEntries(
    FIELDS.map(([name, bytes]) => [name, bytes === 8 ? Number(reader.long()) : reader.int()]),
  );
}

export const ListType = { all: 0, persistent: 1, ephemeral: 2 } as const;

/** Children are shown sorted. */
export function filteredList(path: string, type: number, watch = false): Operation {
  return {
    type: 500,
    label: `filteredList ${path} ${type}`,
    body: new JuteWriter()
      .text(path)
      .bool(watch)
      .raw(Buffer.from([type]))
      .bytes(),
    write: false,
    decode: (reader) => {
      const names = reader.texts().sort().join(" ");
      return [`[${names}] numChildren=${readFields(reader)["numChildren"]}`];
    },
  };
}

export type ListOptions = {
  readonly type?: number;
  readonly watch?: boolean;
  readonly withStat?: boolean;
  readonly withData?: boolean;
};

/** Each child is shown as `name=data@version`, with what was asked for. */
export function listWithStatsAndData(path: string, options: ListOptions = {}): Operation {
  const { type = 0, watch = false, withStat = true, withData = true } = options;
  const flags = Buffer.from([watch ? 1 : 0, type, withStat ? 1 : 0, withData ? 1 : 0]);
  return {
    type: 506,
    label: `filteredListWithStatsAndData ${path}`,
    body: new JuteWriter().text(path).raw(flags).bytes(),
    write: false,
    decode: (reader) => [listText(reader)],
  };
}

function listText(reader: JuteReader): string {
  const names = reader.texts();
  readFields(reader);
  const stats = Array.from({ length: reader.int() }, () => readFields(reader));
  const values = Array.from({ length: reader.int() }, () => String(reader.buffer()));
  const shown = names.map((name, index) => {
    const value = values.length > 0 ? `=${values[index]}` : "";
    return `${name}${value}${stats.length > 0 ? `@${stats[index]?.["version"]}` : ""}`;
  });
  return `[${shown.sort().join(" ")}] ${stats.length} ${values.length}`;
}

/** Paths are shown in the order in which they come. */
export function listRecursive(path: string, limit: number): Operation {
  return {
    type: 507,
    label: `listRecursive ${path} ${limit}`,
    body: new JuteWriter().text(path).int(limit).bytes(),
    write: false,
    decode: (reader) => [`[${reader.texts().join(" ")}]`],
  };
}

export function checkNotExists(path: string, version = -1): Operation {
  const body = new JuteWriter().text(path).int(version).bytes();
  const label = `checkNotExists ${path} ${version}`;
  return { type: 501, label, body, write: true, decode: ok };
}

export function createIfNotExists(
  path: string,
  data: Data = "",
  options: CreateOptions = {},
): Operation {
  return { ...create(path, data, options), type: 502, label: `createIfNotExists ${path}` };
}

export function removeRecursive(path: string, limit: number): Operation {
  const body = new JuteWriter().text(path).int(limit).bytes();
  return { type: 503, label: `removeRecursive ${path} ${limit}`, body, write: true, decode: ok };
}

/** Fields that are not named match any. */
export function checkStat(path: string, fields: StatFields, version = -1): Operation {
  const writer = new JuteWriter().text(path).int(version);
  for (const [name, bytes] of FIELDS) {
    const value = fields[name] ?? -1;
    if (bytes === 8) writer.long(BigInt(value));
    else writer.int(value);
  }
  const label = `checkStat ${path}`;
  return { type: 504, label, body: writer.bytes(), write: true, decode: ok };
}

export function tryRemove(path: string, version = -1): Operation {
  const body = new JuteWriter().text(path).int(version).bytes();
  return { type: 505, label: `tryRemove ${path} ${version}`, body, write: true, decode: ok };
}

/** The results of a multi or a multiRead: the type and the code of each, and what follows of it. */
export function withEntries(multi: Operation): Operation {
  return { ...multi, decode: (reader) => [readEntries(reader).join("; ")] };
}

function readEntries(reader: JuteReader): string[] {
  const entries: string[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    const code = reader.int();
    if (done) return entries;
    entries.push(`${type}:${code}${entryText(reader, type)}`);
  }
}

function entryText(reader: JuteReader, type: number): string {
  switch (type) {
    case -1:
      return `(${reader.int()})`;
    case 1:
    case 502:
      return ` ${reader.text()}`;
    case 15:
      return ` ${reader.text()} numChildren=${readFields(reader)["numChildren"]}`;
    case 3:
    case 5:
      return ` version=${readFields(reader)["version"]}`;
    case 4:
      return ` ${String(reader.buffer())} version=${readFields(reader)["version"]}`;
    case 8:
      return ` [${reader.texts().sort().join(" ")}]`;
    case 12:
      return ` [${reader.texts().sort().join(" ")}] numChildren=${readFields(reader)["numChildren"]}`;
    case 506: {
      return ` ${listText(reader)}`;
    }
    default:
      return "";
  }
}
