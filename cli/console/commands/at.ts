/** `zooid at`: a znode as it was. */
import { childOf } from "../../../protocol/paths.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { EXIT_OK } from "../../command.ts";
import { type Json, type PastSource, pastSourceOf } from "../../history/source.ts";
import { bytesOf, statOf } from "../../history/text.ts";
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import type { Output } from "../output.ts";
import { isZxid } from "../spec.ts";
import { statJson, statLines } from "../stat-text.ts";
import { valueJson } from "../value.ts";

type Of = {
  readonly source: PastSource;
  readonly zxid: Zxid;
  readonly path: string;
  readonly output: Output;
};

export async function run(given: Given, { output }: Context): Promise<number> {
  const zxid = zxidOf(given, "zxid");
  const command = given.operand("command");
  const show = COMMANDS.get(command);
  if (show === undefined) {
    throw new MisusedError(`zooid at knows ${[...COMMANDS.keys()].join(", ")}, not ${command}`);
  }
  const path = given.optional("path") ?? "/";
  await show({ source: await pastSourceOf(given), zxid, path, output });
  return EXIT_OK;
}

/** An operand that is a zxid. Throws a MisusedError. */
export function zxidOf(given: Given, name: string): Zxid {
  const text = given.operand(name);
  const problem = isZxid(text);
  if (problem !== undefined) throw new MisusedError(`${name} ${text}: ${problem}`);
  return Number(text) as Zxid;
}

const COMMANDS: ReadonlyMap<string, (of: Of) => Promise<void>> = new Map([
  ["ls", list],
  ["get", get],
  ["stat", stat],
]);

async function list({ source, zxid, path, output }: Of): Promise<void> {
  for (let after: string | null = ""; after !== null; ) {
    const of = { zxid, path, after, limit: source.pageMax };
    const page: Json = await source.ask({ kind: "children", ...of });
    for (const child of page["children"] as readonly Json[]) {
      const name = String(child["name"]);
      const stat = statJson(statOf(child["stat"]));
      if (output.isJson) await output.json({ path: childOf(path, name), stat });
      else await output.line(output.shown(name));
    }
    after = page["next"] as string | null;
  }
}

async function get({ source, zxid, path, output }: Of): Promise<void> {
  const znode = await source.ask({ kind: "znode", zxid, path });
  const data = bytesOf(znode["base64"] as string | null);
  if (output.isJson) await output.json({ path, ...valueJson(data), ...shownStat(znode) });
  else if (data !== null) await output.data(data);
}

async function stat({ source, zxid, path, output }: Of): Promise<void> {
  const znode = await source.ask({ kind: "znode", zxid, path });
  if (output.isJson) await output.json({ path, ...shownStat(znode), acl: znode["acl"] });
  else await output.lines(statLines(statOf(znode["stat"])));
}

function shownStat(znode: Json): object {
  return { stat: statJson(statOf(znode["stat"])) };
}
