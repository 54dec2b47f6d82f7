/** `zooid watch`: follows changes and prints each. */
import type { Change, ChangesOptions, Gap } from "../../../client/connect.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import { escaped } from "../escape.ts";
import type { Given } from "../given.ts";
import { statJson } from "../stat-text.ts";
import { utf8Of, valueJson } from "../value.ts";

/** How much of a value stands in a line. All of it is in JSON. */
const SHOWN_CHARACTERS_MAX = 100;
const KIND_WIDTH = "created".length;

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.optional("path") ?? "/";
  const { output, signal } = context;
  const client = await context.client();
  const recursive = given.has("only") ? false : given.has("children") ? "children" : true;
  // The znode need not exist: its creation is a change.
  const from = given.zxid("from") ?? (await client.exists(path, { signal })).zxid;
  const options = { recursive, from, signal, onGap: "emit" } satisfies ChangesOptions;
  output.note(
    `watching ${path}${WHAT[String(recursive)]} after zxid ${formatZxid(from)}; Ctrl-C ends it`,
  );
  const most = given.number("count") ?? Number.POSITIVE_INFINITY;
  const withData = !given.has("without-data");
  let seen = 0;
  for await (const event of client.changes(path, options)) {
    if (output.isJson) await output.json(eventJson(event, withData));
    else await output.line(eventText(event, withData));
    if (event.kind !== "gap") seen += 1;
    if (seen >= most) break;
  }
  return EXIT_OK;
}

const WHAT: Readonly<Record<string, string>> = {
  false: "",
  children: " and its children",
  true: " and all below it",
};

function eventJson(event: Change | Gap, withData: boolean): object {
  if (event.kind === "gap") {
    const { kind, from, to, because } = event;
    return { kind, from: formatZxid(from), to: formatZxid(to), because };
  }
  const { zxid, index, kind, path, stat, data } = event;
  const value = withData && data !== undefined ? valueJson(data) : {};
  return { zxid: formatZxid(zxid), index, kind, path, ...value, stat: statJson(stat) };
}

function eventText(event: Change | Gap, withData: boolean): string {
  if (event.kind === "gap") {
    return `gap: the changes after ${formatZxid(event.from)} up to ${formatZxid(event.to)} are no longer kept`;
  }
  const { zxid, kind, path, data } = event;
  const value = withData && data !== undefined && data !== null ? `  ${preview(data)}` : "";
  return `${formatZxid(zxid)}  ${kind.padEnd(KIND_WIDTH)}  ${escaped(path)}${value}`;
}

/** In one line, so that a value cannot look like a line of its own. */
function preview(data: Uint8Array): string {
  const text = utf8Of(data);
  if (text === undefined) return `(${data.length} bytes)`;
  const isShort = text.length <= SHOWN_CHARACTERS_MAX;
  const shown = escaped(JSON.stringify(isShort ? text : text.slice(0, SHOWN_CHARACTERS_MAX)));
  return isShort ? shown : `${shown}… (${data.length} bytes)`;
}
