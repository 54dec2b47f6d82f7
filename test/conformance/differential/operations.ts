/**
 * The table of operations: each has its op code, how often programs use it, how its arguments are drawn and written, and what its
 * reply's body holds. A new operation is one more entry.
 */
import type { Random } from "../../sim/random.ts";
import {
  drawAcl,
  drawData,
  drawFlags,
  drawProof,
  drawTtl,
  drawVersion,
  drawWatch,
} from "./arguments.ts";
import { type Feature, isOn } from "./features.ts";
import { drawPath, isBelowShared, isShared, isWatched, type Watching } from "./paths.ts";
import type { Request, Text } from "./program.ts";

/** What stands in a request behind its path, in order; and what stands in a reply. */
export type Field =
  | "path"
  | "data"
  | "acl"
  | "flags"
  | "ttl"
  | "proof"
  | "servers"
  | "version"
  | "watch"
  | "type"
  | "seen"
  | "lists"
  | "members";
export type ReplyField =
  | "text"
  | "stat"
  | "data"
  | "acl"
  | "texts"
  | "sortedTexts"
  | "int"
  | "results"
  | "identities";

export type Kind = {
  readonly code: number;
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  readonly feature?: Feature;
  /** The xid that clients send it with. */
  readonly xid?: number;
  /** Whether its reply tells the zxid of its own transaction. */
  readonly isWrite: boolean;
  readonly fields: readonly Field[];
  readonly reply: readonly ReplyField[];
  /** How often it is a member of a multi, valid there or not. */
  readonly memberWeight?: number;
};

const CREATE: Kind = {
  code: 1,
  weight: 14,
  isWrite: true,
  fields: ["path", "data", "acl", "flags"],
  reply: ["text"],
  memberWeight: 8,
};
const ONE_ZNODE = ["path", "watch"] as const;

export const KINDS: Readonly<Record<string, Kind>> = {
  create: CREATE,
  create2: { ...CREATE, code: 15, weight: 5, reply: ["text", "stat"], memberWeight: 2 },
  createContainer: {
    ...{ ...CREATE, code: 19, weight: 2, reply: ["text", "stat"], memberWeight: 1 },
    feature: "containers",
  },
  createTtl: {
    ...{ ...CREATE, code: 21, weight: 2, reply: ["text", "stat"], memberWeight: 1 },
    ...{ feature: "timesToLive", fields: ["path", "data", "acl", "flags", "ttl"] },
  },
  delete: {
    ...{ code: 2, weight: 9, isWrite: true, memberWeight: 5 },
    ...{ fields: ["path", "version"], reply: [] },
  },
  exists: {
    code: 3,
    weight: 8,
    isWrite: false,
    fields: ONE_ZNODE,
    reply: ["stat"],
    memberWeight: 1,
  },
  getData: {
    ...{ code: 4, weight: 8, isWrite: false, memberWeight: 1 },
    ...{ fields: ONE_ZNODE, reply: ["data", "stat"] },
  },
  setData: {
    ...{ code: 5, weight: 10, isWrite: true, memberWeight: 6 },
    ...{ fields: ["path", "data", "version"], reply: ["stat"] },
  },
  getAcl: { code: 6, weight: 3, isWrite: false, fields: ["path"], reply: ["acl", "stat"] },
  setAcl: {
    ...{ code: 7, weight: 4, isWrite: true, memberWeight: 1 },
    ...{ fields: ["path", "acl", "version"], reply: ["stat"] },
  },
  getChildren: {
    ...{ code: 8, weight: 6, isWrite: false, memberWeight: 1 },
    ...{ fields: ONE_ZNODE, reply: ["sortedTexts"] },
  },
  getChildren2: {
    ...{ code: 12, weight: 4, isWrite: false },
    ...{ fields: ONE_ZNODE, reply: ["sortedTexts", "stat"] },
  },
  sync: { code: 9, weight: 3, isWrite: false, fields: ["path"], reply: ["text"], memberWeight: 1 },
  ping: { code: 11, weight: 2, xid: -2, isWrite: false, fields: [], reply: [] },
  check: {
    ...{ code: 13, weight: 1, isWrite: false, memberWeight: 5 },
    ...{ fields: ["path", "version"], reply: [] },
  },
  multi: { code: 14, weight: 9, isWrite: true, fields: ["members"], reply: ["results"] },
  multiRead: {
    ...{ code: 22, weight: 3, isWrite: false, feature: "multiRead" },
    ...{ fields: ["members"], reply: ["results"] },
  },
  checkWatches: { code: 17, weight: 2, isWrite: false, fields: ["path", "type"], reply: [] },
  removeWatches: { code: 18, weight: 1, isWrite: false, fields: ["path", "type"], reply: [] },
  setWatches: {
    ...{ code: 101, weight: 2, xid: -8, isWrite: false },
    ...{ fields: ["seen", "lists"], reply: [] },
  },
  setWatches2: {
    ...{ code: 105, weight: 2, xid: -8, isWrite: false },
    ...{ fields: ["seen", "lists"], reply: [] },
  },
  addWatch: { code: 106, weight: 5, isWrite: false, fields: ["path", "type"], reply: ["int"] },
  getEphemerals: {
    ...{ code: 103, weight: 2, isWrite: false, feature: "listings" },
    ...{ fields: ["path"], reply: ["sortedTexts"] },
  },
  getAllChildrenNumber: {
    ...{ code: 104, weight: 2, isWrite: false, feature: "listings" },
    ...{ fields: ["path"], reply: ["int"] },
  },
  whoAmI: {
    code: 107,
    weight: 1,
    isWrite: false,
    feature: "whoAmI",
    fields: [],
    reply: ["identities"],
  },
  auth: {
    ...{ code: 100, weight: 2, xid: -4, isWrite: false, feature: "identities" },
    ...{ fields: ["proof"], reply: [] },
  },
  reconfig: {
    ...{ code: 16, weight: 1, isWrite: true, feature: "reconfig" },
    ...{ fields: ["servers"], reply: ["data", "stat"] },
  },
  closeSession: { code: -11, weight: 2, isWrite: true, fields: [], reply: [] },
};

export function kindOf(request: Request): Kind {
  const kind = KINDS[request.op];
  if (kind === undefined) throw new Error(`no operation ${request.op}`);
  return kind;
}

export const MEMBERS: readonly (readonly [op: string, weight: number])[] = Object.entries(KINDS)
  .filter(([, { feature, memberWeight }]) => isOn(feature) && memberWeight !== undefined)
  .map(([op, { memberWeight }]) => [op, memberWeight ?? 0]);

const ALONE: readonly (readonly [op: string, weight: number])[] = Object.entries(KINDS)
  .filter(([, { feature }]) => isOn(feature))
  .map(([op, { weight }]) => [op, weight]);

const MULTI_READ: readonly (readonly [op: string, weight: number])[] = [
  ["getData", 4],
  ["getChildren", 4],
  ["create", 1],
];

function pickWeighted(random: Random, choices: readonly (readonly [string, number])[]): string {
  let left = random.below(choices.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [op, weight] of choices) {
    left -= weight;
    if (left < 0) return op;
  }
  throw new Error("nothing to pick from");
}

export function drawRequest(random: Random): Request {
  const request = drawArguments(random, pickWeighted(random, ALONE));
  // Bytes that are missing or left over.
  if (random.chance(0.01)) return { ...request, tail: "\u0000\u0001tail".slice(random.below(6)) };
  if (random.chance(0.015)) return { ...request, cut: 1 + random.below(9) };
  return request;
}

function drawArguments(random: Random, op: string): Request {
  const kind = KINDS[op];
  const has = (field: Field): boolean => kind?.fields.includes(field) === true;
  const drawn: Text = has("path") ? drawPath(random) : null;
  const path = changesShared(op, drawn) ? "~" : drawn;
  const drawnFlags = has("flags") ? drawFlags(random, op) : 0;
  const flags = isBelowShared(path) ? (NOT_SEQUENTIAL.get(drawnFlags) ?? drawnFlags) : drawnFlags;
  return {
    op,
    path,
    ...(has("data") ? { data: drawData(random, path) } : {}),
    ...(has("acl") ? { acl: drawAcl(random) } : {}),
    ...(has("flags") ? { flags } : {}),
    ...(has("ttl") ? { ttl: drawTtl(random, flags) } : {}),
    ...(has("proof") ? { proof: drawProof(random) } : {}),
    ...(has("version") ? { version: drawVersion(random) } : {}),
    ...(has("watch") ? { watch: isWatched(path, "once") ? drawWatch(random) : 0 } : {}),
    ...(has("type") ? { type: drawType(random, op, path) } : {}),
    ...(has("seen") ? { seen: random.pick(["none", "last", "last", "future", "negative"]) } : {}),
    ...(has("lists") ? { lists: drawLists(random, op === "setWatches2" ? 5 : 3) } : {}),
    ...(has("members") ? { members: drawMembers(random, op) } : {}),
  };
}

/** Whether programs that share the server would see what the operation does there. */
function changesShared(op: string, path: Text): boolean {
  if (!isShared(path) || READS.has(op) || op === "delete") return false;
  // Nobody may write there.
  return path !== "/zookeeper/config" || KINDS[op]?.isWrite !== true;
}

const NOT_SEQUENTIAL: ReadonlyMap<number, number> = new Map([
  ...([
    [2, 0],
    [3, 1],
    [6, 5],
  ] as const),
]);

const READS: ReadonlySet<string> = new Set([
  ...["exists", "getData", "getAcl", "getChildren", "getChildren2", "sync"],
  ...["checkWatches", "removeWatches"],
]);

function drawType(random: Random, op: string, path: Text): number {
  if (op === "addWatch") {
    // ZooKeeper cannot close a connection any more that watches a null path.
    if (path === null) return 2;
    if (isWatched(path, "persistent")) return 0;
    return isWatched(path, "recursive") ? 1 : 2;
  }
  if (random.chance(0.1)) return random.pick([-1, 0, 6, 2_147_483_647]);
  return 1 + random.below(5);
}

/** The lists of setWatches are of data, of znodes that are not there, of children, and of watches that stay. */
const LISTS: readonly Watching[] = ["once", "once", "once", "persistent", "recursive"];

function drawLists(random: Random, count: number): (Text[] | null)[] {
  return LISTS.slice(0, count).map((watching) => {
    if (random.chance(0.02)) return null;
    const paths = Array.from({ length: random.below(4) }, () => drawPath(random));
    return paths.filter(
      (path) => isWatched(path, watching) || (path === null && random.chance(0.2)),
    );
  });
}

function drawMembers(random: Random, op: string): Request[] {
  const count = random.pick([0, 1, 1, 2, 2, 3, 4]);
  const choices = op === "multiRead" ? MULTI_READ : MEMBERS;
  return Array.from({ length: count }, () => {
    const drawn = drawArguments(random, pickWeighted(random, choices));
    // The answer to a read among others is not hidden.
    const member = op === "multiRead" && isShared(drawn.path) ? { ...drawn, path: "~" } : drawn;
    return random.chance(0.01)
      ? { ...member, code: random.pick([0, 14, 20, 77, -1, -11]) }
      : member;
  });
}
