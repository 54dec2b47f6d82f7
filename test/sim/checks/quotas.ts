/** ZooKeeper's rules of quotas, for the model: independently of the product, by the texts in the tree alone. */
export const QUOTAS = "/zookeeper/quota";
const STATS = "/zookeeper_stats";

/** The text of the znode at a path; undefined if there is none. */
export type TextAt = (path: string) => string | undefined;

/** The path whose counts are at `path`; undefined if none are. */
export function countedAt(path: string): string | undefined {
  const isStats = path.startsWith(`${QUOTAS}/`) && path.endsWith(STATS);
  return isStats ? path.slice(QUOTAS.length, -STATS.length) : undefined;
}

/** The path, this one or above it, that has a quota and is the longest. */
export function quotaOver(path: string, at: TextAt): string | undefined {
  const names = path.split("/").slice(1);
  for (let count = names.length; count > 0; count -= 1) {
    const each = `/${names.slice(0, count).join("/")}`;
    if (at(`${QUOTAS}${each}/zookeeper_limits`) !== undefined) return each;
  }
  return undefined;
}

export function statsPath(quota: string): string {
  return `${QUOTAS}${quota}${STATS}`;
}

function valueOf(text: string, name: string): number {
  const found = new RegExp(`(?:^|[,;])${name}=(-?[0-9]+)`).exec(text)?.[1];
  return found === undefined ? -1 : Number(found);
}

/** Whether a hard limit forbids that so much is added. */
export function forbids(path: string, at: TextAt, count: number, bytes: number): boolean {
  const quota = quotaOver(path, at);
  const limits = quota === undefined ? undefined : at(`${QUOTAS}${quota}/zookeeper_limits`);
  const stats = quota === undefined ? undefined : at(statsPath(quota));
  if (limits === undefined || stats === undefined) return false;
  const [countMax, bytesMax] = ["countHardLimit", "byteHardLimit"].map((name) =>
    valueOf(limits, name),
  ) as [number, number];
  const isOver = (added: number, now: number, max: number): boolean =>
    added !== 0 && max >= 0 && now + added > max;
  return (
    isOver(count, valueOf(stats, "count"), countMax) ||
    isOver(bytes, valueOf(stats, "bytes"), bytesMax)
  );
}

export function countsText(count: number, bytes: number): string {
  return `count=${count},bytes=${bytes}`;
}

/** The counts after so much was added; there are no other values in the simulation. */
export function added(text: string, count: number, bytes: number): string {
  return countsText(valueOf(text, "count") + count, valueOf(text, "bytes") + bytes);
}
