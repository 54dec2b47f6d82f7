/**
 * The shape of a request: what kind it is and how it is made, without its names and its data. What stays is the depth of a path, the size of
 * data, whether a version is given, and the permissions and schemes of an access control list.
 */
import { JuteReader } from "../../support/jute.ts";

/** `null` stands for a null on the wire. What a kind of request does not have is left out. */
export type Shape = {
  readonly op: string;
  /** Kind of znode, as the protocol counts them: 0 persistent, 1 ephemeral, 2 sequential, 3 both, 4 container, 5 and 6 with a time to live. */
  readonly flags?: number;
  /** Names in the path: 0 is the root. -1 is a path that is no path. */
  readonly depth?: number;
  /** Data is as long as this at most: a power of four. */
  readonly bytes?: number | null;
  /** The expected version: -1 is any. Undefined: the request has none. */
  readonly version?: "any" | "given";
  readonly watch?: boolean;
  /** `31 world`: permissions and scheme of each entry. */
  readonly acl?: readonly string[] | null;
  /** In addWatch 0 or 1; in removeWatches and checkWatches the type of watches, 1 to 5. */
  readonly mode?: number;
  readonly scheme?: string;
  /** How many paths of each kind setWatches has. */
  readonly watches?: readonly number[];
  readonly members?: readonly Shape[];
  /** This and the next two are a handshake's. */
  readonly timeoutMs?: number;
  readonly readOnly?: boolean | "absent";
  readonly session?: "new" | "again";
  /** A burst's: so many requests, pings aside, were unanswered at once. */
  readonly length?: number;
};

const NAMES: Readonly<Record<number, string>> = {
  1: "create",
  2: "delete",
  3: "exists",
  4: "getData",
  5: "setData",
  6: "getAcl",
  7: "setAcl",
  8: "getChildren",
  9: "sync",
  11: "ping",
  12: "getChildren2",
  13: "check",
  14: "multi",
  15: "create2",
  16: "reconfig",
  17: "checkWatches",
  18: "removeWatches",
  19: "createContainer",
  21: "createTtl",
  22: "multiRead",
  100: "auth",
  101: "setWatches",
  102: "sasl",
  103: "getEphemerals",
  104: "getAllChildrenNumber",
  105: "setWatches2",
  106: "addWatch",
  107: "whoAmI",
  [-11]: "closeSession",
};

export function shapeOfHandshake(payload: Buffer): Shape {
  const reader = new JuteReader(payload);
  reader.int();
  reader.long();
  const timeoutMs = reader.int();
  const session = reader.long() === 0n ? "new" : "again";
  reader.buffer();
  const readOnly = reader.left > 0 ? reader.bool() : "absent";
  return { op: "connect", timeoutMs, readOnly, session };
}

/** `payload`: a frame's, behind the handshake. */
export function shapeOf(payload: Buffer): Shape {
  const reader = new JuteReader(payload);
  reader.int();
  const code = reader.int();
  try {
    return shapeOfBody(reader, code);
  } catch {
    // A test of a client's own may send what cannot be read.
    return { op: "unreadable" };
  }
}

function shapeOfBody(reader: JuteReader, code: number): Shape {
  const op = NAMES[code] ?? `operation ${code}`;
  switch (op) {
    case "multi":
    case "multiRead":
      return { op, members: membersOf(reader) };
    case "setWatches":
    case "setWatches2":
      reader.long();
      return {
        op,
        watches: Array.from({ length: code === 105 ? 5 : 3 }, () => reader.texts().length),
      };
    case "auth":
      reader.int();
      return { op, scheme: reader.text() };
    case "ping":
    case "sasl":
    case "reconfig":
    case "whoAmI":
    case "closeSession":
      return { op };
    default:
      return shapeWithPath(reader, op);
  }
}

function shapeWithPath(reader: JuteReader, op: string): Shape {
  const depth = depthOf(reader.text());
  switch (op) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTtl": {
      const bytes = sizeOf(reader.buffer());
      const acl = aclOf(reader);
      const flags = reader.int();
      if (op === "createTtl") reader.long();
      return { op, flags, depth, bytes, acl };
    }
    case "setData":
      return { op, depth, bytes: sizeOf(reader.buffer()), version: versionOf(reader) };
    case "setAcl":
      return { op, depth, acl: aclOf(reader), version: versionOf(reader) };
    case "delete":
    case "check":
      return { op, depth, version: versionOf(reader) };
    case "exists":
    case "getData":
    case "getChildren":
    case "getChildren2":
      return { op, depth, watch: reader.bool() };
    case "addWatch":
    case "removeWatches":
    case "checkWatches":
      return { op, depth, mode: reader.int() };
    default:
      return { op, depth };
  }
}

/** Its members one after the other, each behind a header {type, done, err}. */
function membersOf(reader: JuteReader): readonly Shape[] {
  const members: Shape[] = [];
  for (;;) {
    const code = reader.int();
    const isDone = reader.bool();
    reader.int();
    if (isDone) return members;
    members.push(shapeOfBody(reader, code));
  }
}

function depthOf(path: string): number {
  if (!path.startsWith("/")) return -1;
  return path.split("/").filter((name) => name !== "").length;
}

function sizeOf(data: Buffer | null): number | null {
  if (data === null || data.length === 0) return data === null ? null : 0;
  return 4 ** Math.ceil(Math.log2(data.length) / 2);
}

function versionOf(reader: JuteReader): "any" | "given" {
  return reader.int() === -1 ? "any" : "given";
}

function aclOf(reader: JuteReader): readonly string[] | null {
  const count = reader.int();
  if (count < 0) return null;
  return Array.from({ length: count }, () => {
    const permissions = reader.int();
    const scheme = reader.text();
    reader.text();
    return `${permissions} ${scheme}`;
  });
}
