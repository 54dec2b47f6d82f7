/** Replies against the truth: what a client is told is what the model holds at that zxid. */
import { Code } from "../../../protocol/codes.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import { STAT_FIELDS, type Stat } from "../../../protocol/stat.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import type { MultiEntry, ReplyHeader } from "../../../protocol/zookeeper/client-replies.ts";
import type { MemberBody, MemberRead, ReadKind, ReplyBody } from "../client/wire.ts";
import { ADMIN, aclText, may, READ, shownAcl, type SimWho } from "../client/identities.ts";
import type { Model } from "./model.ts";
import { sameBytes } from "./truth.ts";
import { must } from "./violation.ts";

/** What is wrong with the reply to a write whose result is known. */
export function writeReplyProblem(
  header: ReplyHeader,
  body: ReplyBody,
  result: OperationResult,
): string | undefined {
  if (result.kind === "error") {
    return header.code === result.code ? undefined : `code ${header.code}, not ${result.code}`;
  }
  if (header.code !== Code.ok) return `code ${header.code} for ${result.kind}`;
  switch (result.kind) {
    case "created":
      if (body.kind !== "path") return `a ${body.kind} for a create`;
      if (body.path !== result.path) return `created ${body.path}, not ${result.path}`;
      return body.stat === undefined ? undefined : statProblem(body.stat, result.stat);
    case "stat":
      if (body.kind !== "stat") return `a ${body.kind} for a stat`;
      return statProblem(body.stat, result.stat);
    case "multi":
      if (body.kind !== "multi") return `a ${body.kind} for a multi`;
      return entriesProblem(body.entries, result.results);
    default:
      return undefined;
  }
}

function entriesProblem(
  entries: readonly MultiEntry[],
  results: readonly OperationResult[],
): string | undefined {
  if (entries.length !== results.length) return `${entries.length} results, not ${results.length}`;
  for (const [index, entry] of entries.entries()) {
    const result = results[index];
    if (result === undefined || entry.kind !== result.kind) {
      return `result ${index} is ${entry.kind}, not ${result?.kind}`;
    }
    if (entry.kind === "error" && result.kind === "error" && entry.code !== result.code) {
      return `result ${index} has code ${entry.code}, not ${result.code}`;
    }
    if (entry.kind === "created" && result.kind === "created" && entry.path !== result.path) {
      return `result ${index} created ${entry.path}, not ${result.path}`;
    }
    if (entry.kind === "stat" && result.kind === "stat") {
      const problem = statProblem(entry.stat, result.stat);
      if (problem !== undefined) return `result ${index}: ${problem}`;
    }
  }
  return undefined;
}

/** A read is answered with what was there at the zxid of its reply, exactly. */
export function checkRead(
  model: Model,
  client: { readonly name: string; readonly who: SimWho },
  of: { readonly read: ReadKind; readonly path: string },
  header: ReplyHeader,
  body: ReplyBody,
): void {
  const { path, read } = of;
  const moment = model.at(path, header.zxid);
  const what = (): string => `${client.name}: ${read} ${path} at ${formatZxid(header.zxid)}`;
  if (moment?.stat === undefined) {
    must(
      header.code === Code.noNode,
      "true replies",
      () => `${what()}: code ${header.code}, no node is there`,
    );
    return;
  }
  if (read !== "exists" && !may(moment.acl, PERMISSIONS[read], client.who)) {
    must(header.code === Code.noAuth, "permissions", () => `${what()}: code ${header.code}`);
    return;
  }
  must(
    header.code === Code.ok,
    "true replies",
    () => `${what()}: code ${header.code}, it is there`,
  );
  if (body.kind === "names") {
    checkNames(what, body.names, model.childrenAt(path, header.zxid));
    return;
  }
  must("stat" in body, "true replies", () => `${what()}: a ${body.kind}`);
  must(body.stat !== undefined, "true replies", () => `${what()}: no Stat`);
  const { stat } = moment;
  const problem = statProblem(body.stat, stat);
  must(problem === undefined, "true replies", () => `${what()}: ${problem}`);
  if (body.kind === "data") {
    must(sameBytes(body.data, moment.data), "true replies", () => {
      return `${what()}: data ${shown(body.data)}, not ${shown(moment.data)}`;
    });
  } else if (body.kind === "acl") {
    const expected = may(moment.acl, ADMIN, client.who) ? moment.acl : shownAcl(moment.acl);
    must(aclText(body.acl) === aclText(expected), "permissions", () => {
      return `${what()}: ${aclText(body.acl)}, not ${aclText(expected)}`;
    });
  } else if (body.kind === "children") {
    checkNames(what, body.children, model.childrenAt(path, header.zxid));
  }
}

function checkNames(
  what: () => string,
  names: readonly string[],
  expected: ReadonlySet<string>,
): void {
  const same = names.length === expected.size && names.every((each) => expected.has(each));
  must(same, "true replies", () => `${what()}: children ${names.join(" ")}`);
}

/** Each member of a multiRead is answered with what was there at the zxid of the reply, whatever became of the others. */
export function checkMultiRead(
  model: Model,
  who: Parameters<typeof checkRead>[1],
  reads: readonly MemberRead[],
  header: ReplyHeader,
  body: ReplyBody,
): void {
  must(
    header.code === Code.ok,
    "true replies",
    () => `${who.name}: multiRead: code ${header.code}`,
  );
  const bodies = body.kind === "multiRead" ? body.bodies : [];
  must(
    bodies.length === reads.length,
    "true replies",
    () => `${who.name}: ${bodies.length} results`,
  );
  for (const [index, of] of reads.entries()) {
    const each = bodies[index];
    if (each === undefined) continue;
    const code = each.kind === "error" ? (each.code as Code) : Code.ok;
    checkRead(model, who, of, { ...header, code }, memberBody(model, of, header, each));
  }
}

/** Children come without the Stat, which is taken from the model. */
function memberBody(
  model: Model,
  { path }: MemberRead,
  { zxid }: ReplyHeader,
  each: MemberBody,
): ReplyBody {
  if (each.kind === "data") return each;
  const stat = model.at(path, zxid)?.stat;
  if (each.kind === "error" || stat === undefined) return { kind: "nothing" };
  return { kind: "children", children: each.children, stat };
}
/** One of these is needed. Everybody may ask whether a znode is there. */
const PERMISSIONS: Readonly<Record<ReadKind, number>> = {
  exists: 0,
  getData: READ,
  getChildren: READ,
  getNames: READ,
  getAcl: READ | ADMIN,
};

export function statProblem(stat: Stat, expected: Stat): string | undefined {
  for (const field of STAT_FIELDS) {
    if (stat[field] !== expected[field])
      return `${field} is ${stat[field]}, not ${expected[field]}`;
  }
  return undefined;
}

export function shown(data: Uint8Array | null): string {
  return data === null ? "null" : JSON.stringify(Buffer.from(data).toString("latin1").slice(0, 60));
}
