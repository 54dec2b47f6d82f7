/** Quotas, which ZooKeeper keeps as znodes of its own: their limits come along, what is used is counted by the target. */
import { type Client, NoNodeError, type QuotaLimits } from "../../client/connect.ts";
import { QUOTA_PATH, quotaZnodeAt } from "../../protocol/quota.ts";
import { walk } from "../console/walk.ts";
import type { Difference } from "./difference.ts";

export type Quotas = ReadonlyMap<string, QuotaLimits>;

/** By the path that each is about. */
export async function quotasOf(client: Client, signal: AbortSignal): Promise<Quotas> {
  const quotas = new Map<string, QuotaLimits>();
  try {
    for await (const { path } of walk(client, QUOTA_PATH, { signal })) {
      const znode = quotaZnodeAt(path);
      if (znode?.kind !== "limits") continue;
      const about = znode.path === "" ? "/" : znode.path;
      const quota = await client.quota(about, { signal });
      if (quota !== undefined) quotas.set(about, quota.limits);
    }
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
  }
  return quotas;
}

/** Those that the target has and the source has not are not named where `keepsOthers`. */
export function quotaDifferences(
  source: Quotas,
  target: Quotas,
  keepsOthers: boolean,
): Difference[] {
  const paths = new Set([...source.keys(), ...(keepsOthers ? [] : target.keys())]);
  return [...paths]
    .filter((path) => textOf(source.get(path)) !== textOf(target.get(path)))
    .map((path) => ({ path, kind: "quota" }));
}

export async function copyQuotas(
  from: Client,
  to: Client,
  { keepsOthers, signal }: { readonly keepsOthers: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const [source, target] = await Promise.all([quotasOf(from, signal), quotasOf(to, signal)]);
  for (const { path } of quotaDifferences(source, target, keepsOthers)) {
    await to.setQuota(path, source.get(path) ?? null, { signal });
  }
}

function textOf(limits: QuotaLimits | undefined): string | undefined {
  return limits === undefined
    ? undefined
    : JSON.stringify(limits, ["bytes", "bytesHard", "znodes", "znodesHard"]);
}
