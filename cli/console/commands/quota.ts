/** `zooid quota`: prints, sets or removes the quota of a subtree. */
import type { Quota, QuotaLimits } from "../../../client/connect.ts";
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import { EXIT_NO_ZNODE } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { type Column, tableLines } from "../table.ts";

const FIELDS = {
  znodes: "znodes",
  bytes: "bytes",
  "hard-znodes": "znodesHard",
  "hard-bytes": "bytesHard",
} as const;
type LimitFlag = keyof typeof FIELDS;
const LIMIT_FLAGS = Object.keys(FIELDS) as readonly LimitFlag[];

const COLUMNS: readonly Column[] = [
  { name: "", align: "left" },
  { name: "now", align: "right" },
  { name: "soft limit", align: "right" },
  { name: "hard limit", align: "right" },
];

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const { output, signal } = context;
  const client = await context.client();
  if (given.has("delete")) {
    await client.setQuota(path, null, { signal });
    if (output.isJson) await output.json({ path, quota: null });
    return EXIT_OK;
  }
  const named = LIMIT_FLAGS.filter((flag) => given.has(flag));
  const before = await client.quota(path, { signal });
  if (named.length === 0) return show(path, before, context);
  const limits = changed(before?.limits ?? {}, named, given);
  // Without a limit there is nothing to keep.
  await client.setQuota(path, Object.keys(limits).length === 0 ? null : limits, { signal });
  if (output.isJson)
    await output.json({ path, quota: (await client.quota(path, { signal })) ?? null });
  return EXIT_OK;
}

function changed(before: QuotaLimits, named: readonly LimitFlag[], given: Given): QuotaLimits {
  const limits: Record<string, number> = { ...before };
  for (const flag of named) {
    if (given.value(flag) === "none") delete limits[FIELDS[flag]];
    else limits[FIELDS[flag]] = given.number(flag) ?? 0;
  }
  return limits;
}

async function show(path: string, quota: Quota | undefined, { output }: Context): Promise<number> {
  if (quota === undefined) {
    if (output.isJson) await output.json({ path, quota: null });
    else output.note(`${path} has no quota of its own`);
    return EXIT_NO_ZNODE;
  }
  if (output.isJson) {
    await output.json({ path, quota });
    return EXIT_OK;
  }
  const { limits, znodes, bytes } = quota;
  const limit = (value: number | undefined): string => (value === undefined ? "-" : String(value));
  await output.lines(
    await tableLines(COLUMNS, [
      ["znodes", String(znodes), limit(limits.znodes), limit(limits.znodesHard)],
      ["bytes", String(bytes), limit(limits.bytes), limit(limits.bytesHard)],
    ]),
  );
  return EXIT_OK;
}
