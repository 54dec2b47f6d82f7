/** Replies about more than one znode, and about who a client is, against the truth. */
import { Code } from "../../../protocol/codes.ts";
import type { NativeResult } from "../../../protocol/native-packing.ts";
import { childOf } from "../../../protocol/paths.ts";
import type { ChangedPaths, ChildStats } from "../../../protocol/reads.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { may, READ, type SimWho } from "../client/identities.ts";
import type { ReplyHeader } from "../../../protocol/zookeeper/client-replies.ts";
import type { ReplyBody, WideRequest } from "../client/wire.ts";
import type { Model } from "./model.ts";
import { statProblem } from "./replies.ts";
import { must } from "./violation.ts";

type Client = {
  readonly name: string;
  readonly who: SimWho;
  readonly session: { readonly id: number } | undefined;
};

export function checkWide(
  model: Model,
  client: Client,
  asked: WideRequest,
  header: ReplyHeader,
  body: ReplyBody,
): void {
  const { code, zxid } = header;
  const what = (): string => `${client.name}: ${asked.kind} at ${formatZxid(zxid)}`;
  if (asked.kind === "getAllChildrenNumber") {
    const expected = codeOf(model, client.who, asked.path, header);
    must(code === expected, "true replies", () => `${what()}: code ${code}, not ${expected}`);
    if (code !== Code.ok) return;
    const count = countBelow(model, asked.path, zxid);
    must(body.kind === "count" && body.count === count, "true replies", () => {
      return `${what()}: ${JSON.stringify(body)} below ${asked.path}, not ${count}`;
    });
    return;
  }
  must(code === Code.ok, "true replies", () => `${what()}: code ${code}`);
  if (asked.kind === "whoAmI") {
    const shown = body.kind === "infos" ? body.infos.toSorted() : [];
    const expected = infosOf(client.who).toSorted();
    must(shown.join() === expected.join(), "identities", () => {
      return `${what()}: [${shown.join()}], not [${expected.join()}]`;
    });
    return;
  }
  const shown = body.kind === "names" ? body.names.toSorted() : [];
  const own = ephemeralsOf(model, client.session?.id, zxid);
  const expected = own.filter((path) => path.startsWith(asked.path)).toSorted();
  must(body.kind === "names" && shown.join() === expected.join(), "ephemerals", () => {
    return `${what()} from ${asked.path}: [${shown.join()}], not [${expected.join()}]`;
  });
}

/** Each child has the Stat that it had at the zxid of the answer. */
export function checkChildStats(
  model: Model,
  name: string,
  { path, names }: ChildStats,
  { zxid, result }: { readonly zxid: Zxid; readonly result: NativeResult },
): void {
  const what = (): string => `${name}: childStats ${path} at ${formatZxid(zxid)}`;
  if (model.at(path, zxid)?.stat === undefined) {
    const isMissing = result.kind === "error" && result.code === Code.noNode;
    must(isMissing, "true replies", () => `${what()}: no node is there`);
    return;
  }
  const stats = result.kind === "stats" ? result.stats : [];
  must(stats.length === names.length, "true replies", () => `${what()}: a ${result.kind}`);
  for (const [index, stat] of stats.entries()) {
    const own = childOf(path, names[index] ?? "");
    const expected = model.at(own, zxid)?.stat ?? null;
    const problem =
      stat === null || expected === null
        ? stat === expected || "one of them is missing"
        : (statProblem(stat, expected) ?? true);
    must(problem === true, "true replies", () => `${what()}: ${own}: ${problem}`);
  }
}

/** What is there, has changed since and may be read is told of: by its path, or among those that are too many. */
export function checkChangedPaths(
  model: Model,
  { name, who }: Pick<Client, "name" | "who">,
  { path, after = ZXID_NONE }: ChangedPaths,
  { zxid, result }: { readonly zxid: Zxid; readonly result: NativeResult },
): void {
  const what = (): string => `${name}: changedPaths ${path} after ${formatZxid(after)}`;
  must(result.kind === "changed", "true replies", () => `${what()}: a ${result.kind}`);
  if (result.kind !== "changed" || result.end === "lost") return;
  const { through, changes, paths, unlisted } = result;
  const isPlace = through >= after && (through <= zxid || through === after);
  must(isPlace, "true replies", () => `${what()}: through ${formatZxid(through)}`);
  must(changes >= paths.length + unlisted, "true replies", () => `${what()}: ${changes} changes`);
  const start = path === "/" ? path : `${path}/`;
  const changed = [...model.paths].filter((each) => {
    const moment = model.at(each, through);
    if (moment?.stat === undefined || !may(moment.acl, READ, who)) return false;
    const { czxid, mzxid } = moment.stat;
    return (each === path || each.startsWith(start)) && (czxid > after || mzxid > after);
  });
  const closed = paths.filter((each) => {
    const moment = model.at(each, through);
    return moment?.stat !== undefined && !may(moment.acl, READ, who);
  });
  must(result.end === "more" || closed.length === 0, "permissions", () => {
    return `${what()}: told of ${closed.join(" ")}`;
  });
  const missing = changed.filter((each) => !paths.includes(each));
  must(missing.length <= unlisted, "true replies", () => {
    return `${what()}: through ${formatZxid(through)} nothing of ${missing.join(" ")}`;
  });
}

/** How many znodes the model has below the path at the zxid. */
export function countBelow(model: Model, path: string, zxid: Zxid): number {
  const start = path === "/" ? path : `${path}/`;
  let count = 0;
  for (const each of model.paths) {
    const isBelow = each !== path && each.startsWith(start);
    if (isBelow && model.at(each, zxid)?.stat !== undefined) count += 1;
  }
  return count;
}

function ephemeralsOf(model: Model, session: number | undefined, zxid: Zxid): string[] {
  if (session === undefined) return [];
  return [...model.paths].filter((path) => model.at(path, zxid)?.stat?.ephemeralOwner === session);
}

function codeOf(model: Model, who: SimWho, path: string, { zxid }: ReplyHeader): Code {
  const moment = model.at(path, zxid);
  if (moment?.stat === undefined) return Code.noNode;
  return may(moment.acl, READ, who) ? Code.ok : Code.noAuth;
}

/** The address first, the user of each digest, and of the superuser nothing. */
function infosOf({ identities, address }: SimWho): string[] {
  const proved = identities.map(({ scheme, id }) => `${scheme}:${id.split(":")[0] ?? ""}`);
  return address === undefined ? proved : [`ip:${address}`, ...proved];
}
