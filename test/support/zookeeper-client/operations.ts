/** Requests of ZooKeeper's protocol for tests: what goes out, how the reply is read, and how both are shown in a transcript. */
import { type JuteReader, JuteWriter } from "../jute.ts";

/** Numbers that differ from server to server; a transcript shows how they relate instead. */
export type Mark =
  | { readonly kind: "zxid"; readonly value: bigint }
  | { readonly kind: "session"; readonly value: bigint };
export type Text = readonly (string | Mark)[];

/** What a text says, without its marks. */
export function plainText(text: Text): string {
  return text.map((part) => (typeof part === "string" ? part : "")).join("");
}

export type Stat = {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly ctime: bigint;
  readonly mtime: bigint;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: bigint;
};

export type AclEntry = { readonly perms: number; readonly scheme: string; readonly id: string };

export type Operation = {
  readonly type: number;
  /** Shown in the transcript. */
  readonly label: string;
  readonly body: Buffer;
  /** True if the reply's header zxid is that of the request's own transaction. */
  readonly write: boolean;
  readonly decode: (reader: JuteReader) => Text;
  /** Reads the body beside an error. Default: there is none. */
  readonly decodeError?: (reader: JuteReader) => Text;
  /** The xid it must be sent with, when the protocol fixes one. */
  readonly xid?: number;
  /** Told of the reply when it arrives, before anything that comes after it. */
  readonly replied?: (reply: { readonly zxid: bigint; readonly code: number }) => void;
};

export const OPEN: readonly AclEntry[] = [{ perms: 31, scheme: "world", id: "anyone" }];

export const Mode = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentTtl: 5,
  persistentSequentialTtl: 6,
} as const;

export type CreateOptions = {
  readonly mode?: number;
  readonly acl?: readonly AclEntry[] | null;
};

const nothing = (): Text => ["ok"];

function createBody(path: string, data: Data, options: CreateOptions): JuteWriter {
  const writer = new JuteWriter().text(path).buffer(bytesOf(data));
  return acls(writer, options.acl === undefined ? OPEN : options.acl).int(options.mode ?? 0);
}

export type Data = string | Buffer | null;

export function create(path: string, data: Data = "", options: CreateOptions = {}): Operation {
  return {
    type: 1,
    label: `create ${path} ${show(data)}${createSuffix(options)}`,
    body: createBody(path, data, options).bytes(),
    write: true,
    decode: (reader) => [reader.text()],
  };
}

export function create2(path: string, data: Data = "", options: CreateOptions = {}): Operation {
  return {
    ...create(path, data, options),
    type: 15,
    label: `create2 ${path} ${show(data)}${createSuffix(options)}`,
    decode: (reader) => [reader.text(), " ", ...readStat(reader)],
  };
}

export function createContainer(path: string, mode: number = Mode.container): Operation {
  const suffix = createSuffix({ mode });
  return { ...create2(path, "", { mode }), type: 19, label: `createContainer ${path}${suffix}` };
}

export function createTtl(
  path: string,
  ttlMs: bigint,
  mode: number = Mode.persistentTtl,
): Operation {
  return {
    ...create2(path),
    type: 21,
    label: `createTTL ${path} ${ttlMs}${createSuffix({ mode })}`,
    body: createBody(path, "", { mode }).long(ttlMs).bytes(),
  };
}

export function remove(path: string, version = -1): Operation {
  return {
    type: 2,
    label: `delete ${path} ${version}`,
    body: new JuteWriter().text(path).int(version).bytes(),
    write: true,
    decode: nothing,
  };
}

function read(type: number, name: string, path: string, watch: boolean): Operation {
  return {
    type,
    label: `${name} ${path}${watch ? " watch" : ""}`,
    body: new JuteWriter().text(path).bool(watch).bytes(),
    write: false,
    decode: nothing,
  };
}

export function exists(path: string, watch = false): Operation {
  return { ...read(3, "exists", path, watch), decode: readStat };
}

export function getData(path: string, watch = false): Operation {
  const decode = (reader: JuteReader): Text => [show(reader.buffer()), " ", ...readStat(reader)];
  return { ...read(4, "getData", path, watch), decode };
}

/** The members' addresses, as one text. */
export function getConfig(): Operation {
  const decode = (reader: JuteReader): Text => {
    const data = String(reader.buffer());
    readStat(reader);
    return [data];
  };
  return { ...getData("/zookeeper/config"), decode };
}

export function setData(path: string, data: Data, version = -1): Operation {
  return {
    type: 5,
    label: `setData ${path} ${show(data)} ${version}`,
    body: new JuteWriter().text(path).buffer(bytesOf(data)).int(version).bytes(),
    write: true,
    decode: readStat,
  };
}

export function getAcl(path: string): Operation {
  return {
    type: 6,
    label: `getACL ${path}`,
    body: new JuteWriter().text(path).bytes(),
    write: false,
    decode: (reader) => {
      const list = Array.from({ length: reader.int() }, () => {
        const perms = reader.int();
        return `${perms}:${reader.text()}:${reader.text()}`;
      });
      return [`[${list.join(" ")}] `, ...readStat(reader)];
    },
  };
}

export function setAcl(path: string, acl: readonly AclEntry[] | null, version = -1): Operation {
  return {
    type: 7,
    label: `setACL ${path} ${showAcl(acl)} ${version}`,
    body: acls(new JuteWriter().text(path), acl).int(version).bytes(),
    write: true,
    decode: readStat,
  };
}

/** Children are shown sorted: their order on the wire is not defined. */
export function getChildren(path: string, watch = false): Operation {
  const decode = (reader: JuteReader): Text => [`[${reader.texts().sort().join(" ")}]`];
  return { ...read(8, "getChildren", path, watch), decode };
}

export function getChildren2(path: string, watch = false): Operation {
  const decode = (reader: JuteReader): Text => [
    `[${reader.texts().sort().join(" ")}] `,
    ...readStat(reader),
  ];
  return { ...read(12, "getChildren2", path, watch), decode };
}

export function sync(path: string): Operation {
  return {
    type: 9,
    label: `sync ${path}`,
    body: new JuteWriter().text(path).bytes(),
    write: false,
    decode: (reader) => [reader.text()],
  };
}

export function ping(): Operation {
  const body = Buffer.alloc(0);
  return { type: 11, label: "ping", body, write: false, decode: nothing, xid: -2 };
}

/** An identity for the connection. */
export function auth(scheme: string, id: string): Operation {
  return {
    type: 100,
    label: `auth ${scheme}`,
    body: new JuteWriter().int(0).text(scheme).buffer(Buffer.from(id)).bytes(),
    write: false,
    decode: nothing,
    xid: -4,
  };
}

/** Who the server takes this connection for. */
export function whoAmI(): Operation {
  return {
    type: 107,
    label: "whoAmI",
    body: Buffer.alloc(0),
    write: false,
    decode: (reader) => {
      const infos = Array.from({ length: reader.int() }, () => `${reader.text()}:${reader.text()}`);
      return [`[${infos.join(" ")}]`];
    },
  };
}

export function check(path: string, version: number): Operation {
  return {
    type: 13,
    label: `check ${path} ${version}`,
    body: new JuteWriter().text(path).int(version).bytes(),
    write: true,
    decode: nothing,
  };
}

export function multi(...operations: readonly Operation[]): Operation {
  const writer = new JuteWriter();
  for (const operation of operations) {
    writer.int(operation.type).bool(false).int(-1).raw(operation.body);
  }
  return {
    type: 14,
    label: `multi(${operations.map((operation) => operation.label).join("; ")})`,
    body: writer.int(-1).bool(true).int(-1).bytes(),
    write: true,
    decode: readMulti,
  };
}

/** Its members are `getData` and `getChildren`. */
export function multiRead(...operations: readonly Operation[]): Operation {
  const request = multi(...operations);
  return { ...request, type: 22, label: request.label.replace("multi", "multiRead"), write: false };
}

export function getEphemerals(prefix: string | null): Operation {
  return {
    type: 103,
    label: `getEphemerals ${prefix}`,
    body: new JuteWriter().buffer(bytesOf(prefix)).bytes(),
    write: false,
    decode: (reader) => [`[${reader.texts().sort().join(" ")}]`],
  };
}

export function getAllChildrenNumber(path: string): Operation {
  return {
    type: 104,
    label: `getAllChildrenNumber ${path}`,
    body: new JuteWriter().text(path).bytes(),
    write: false,
    decode: (reader) => [`${reader.int()}`],
  };
}

export type WatchLists = {
  readonly data?: readonly string[];
  readonly exist?: readonly string[];
  readonly child?: readonly string[];
  /** Those that stay: of setWatches2 only. */
  readonly persistent?: readonly string[];
  readonly recursive?: readonly string[];
};

export function setWatches(relativeZxid: bigint, lists: WatchLists): Operation {
  const { data = [], exist = [], child = [] } = lists;
  return {
    type: 101,
    label: `setWatches data=[${data.join(" ")}] exist=[${exist.join(" ")}] child=[${child.join(" ")}]`,
    body: new JuteWriter().long(relativeZxid).texts(data).texts(exist).texts(child).bytes(),
    write: false,
    decode: nothing,
    xid: -8,
  };
}

/** What newer Java clients send in place of setWatches. */
export function setWatches2(relativeZxid: bigint, lists: WatchLists): Operation {
  const older = setWatches(relativeZxid, lists);
  const { persistent = [], recursive = [] } = lists;
  const body = new JuteWriter().raw(older.body).texts(persistent).texts(recursive).bytes();
  const more = ` persistent=[${persistent.join(" ")}] recursive=[${recursive.join(" ")}]`;
  const label = older.label.replace("setWatches", "setWatches2") + more;
  return { ...older, type: 105, label, body };
}

/** `mode`: 0 persistent, 1 persistent and recursive. */
export function addWatch(path: string, mode: number): Operation {
  return {
    type: 106,
    label: `addWatch ${path} mode=${mode}`,
    body: new JuteWriter().text(path).int(mode).bytes(),
    write: false,
    decode: (reader) => [`err=${reader.int()}`],
  };
}

/** `type`: 1 children, 2 data, 3 any. */
export function removeWatches(path: string, type: number): Operation {
  return watcherOf(18, "removeWatches", path, type);
}

export function checkWatches(path: string, type: number): Operation {
  return watcherOf(17, "checkWatches", path, type);
}

function watcherOf(opCode: number, name: string, path: string, type: number): Operation {
  const body = new JuteWriter().text(path).int(type).bytes();
  const label = `${name} ${path} type=${type}`;
  return { type: opCode, label, body, write: false, decode: nothing };
}

export function closeSession(): Operation {
  const body = Buffer.alloc(0);
  return { type: -11, label: "closeSession", body, write: false, decode: nothing };
}

export function unknown(type: number): Operation {
  const body = Buffer.alloc(0);
  return { type, label: `operation ${type}`, body, write: false, decode: nothing };
}

function acls(writer: JuteWriter, list: readonly AclEntry[] | null): JuteWriter {
  if (list === null) return writer.int(-1);
  writer.int(list.length);
  for (const { perms, scheme, id } of list) writer.int(perms).text(scheme).text(id);
  return writer;
}

function bytesOf(data: Data): Buffer | null {
  return typeof data === "string" ? Buffer.from(data, "utf8") : data;
}

function show(data: Data): string {
  if (data === null) return "null";
  if (data.length > 100) return `<${data.length} bytes>`;
  return JSON.stringify(typeof data === "string" ? data : data.toString("utf8"));
}

function showAcl(acl: readonly AclEntry[] | null): string {
  if (acl === null) return "null";
  return `[${acl.map(({ perms, scheme, id }) => `${perms}:${scheme}:${id}`).join(" ")}]`;
}

function createSuffix({ mode, acl }: CreateOptions): string {
  const flags = mode === undefined ? "" : ` mode=${mode}`;
  return acl === undefined ? flags : `${flags} acl=${showAcl(acl)}`;
}

export function decodeStat(reader: JuteReader): Stat {
  return {
    czxid: reader.long(),
    mzxid: reader.long(),
    ctime: reader.long(),
    mtime: reader.long(),
    version: reader.int(),
    cversion: reader.int(),
    aversion: reader.int(),
    ephemeralOwner: reader.long(),
    dataLength: reader.int(),
    numChildren: reader.int(),
    pzxid: reader.long(),
  };
}

/** Times are shown by what must hold: milliseconds since 1970, both the same until the data is set again. */
function readStat(reader: JuteReader): Text {
  const stat = decodeStat(reader);
  const unit = stat.ctime > 1_600_000_000_000n && stat.ctime < 10_000_000_000_000n ? "ms" : "?";
  const order = stat.mtime >= stat.ctime ? "in order" : "mtime < ctime";
  const times = stat.czxid === stat.mzxid && stat.ctime !== stat.mtime ? "differ" : order;
  return [
    "{czxid=",
    { kind: "zxid", value: stat.czxid },
    " mzxid=",
    { kind: "zxid", value: stat.mzxid },
    " pzxid=",
    { kind: "zxid", value: stat.pzxid },
    ` times=${times},${unit} version=${stat.version} cversion=${stat.cversion}`,
    ` aversion=${stat.aversion} owner=`,
    stat.ephemeralOwner === 0n ? "0" : { kind: "session", value: stat.ephemeralOwner },
    ` dataLength=${stat.dataLength} numChildren=${stat.numChildren}}`,
  ];
}

/** Each result says by its own type how it is read. */
function readMulti(reader: JuteReader): Text {
  const text: (string | Mark)[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    const code = reader.int();
    if (done) return [...text, `done(${type},${code})`];
    text.push(`(${type},${code}: `, ...readResult(type, reader), ") ");
  }
}

function readResult(type: number, reader: JuteReader): Text {
  switch (type) {
    case -1:
      return [`error ${reader.int()}`];
    case 1:
      return [reader.text()];
    case 15:
      return [reader.text(), " ", ...readStat(reader)];
    case 5:
      return readStat(reader);
    case 4:
      return [show(reader.buffer()), " ", ...readStat(reader)];
    case 8:
      return [`[${reader.texts().sort().join(" ")}]`];
    case 2:
    case 13:
      return ["ok"];
    default:
      throw new Error(`a result of type ${type} in a multi`);
  }
}

export type Members = {
  readonly joining: string | null;
  readonly leaving: string | null;
  readonly members: string | null;
};

/** It takes a zxid on some servers only, so none is shown. */
export function reconfig({ joining, leaving, members }: Members, version = -1n): Operation {
  const writer = new JuteWriter();
  return {
    type: 16,
    label: `reconfig ${joining} ${leaving} ${members} ${version}`,
    body: [joining, leaving, members]
      .reduce((writer, list) => writer.buffer(list === null ? null : Buffer.from(list)), writer)
      .long(version)
      .bytes(),
    write: false,
    decode: nothing,
  };
}
