/**
 * Each tick of a schedule is run by one of the programs that have it: by the one whose create of the tick's znode made that znode. The
 * znodes of ticks long past are deleted by who wins a later one; a program so late that the znode of its tick may have been deleted does
 * not run it.
 */
import { randomUUID } from "node:crypto";
import { type Client, NoNodeError, ZooidError } from "../client/connect.ts";

/** Where the znodes of ticks are, and for how long. */
export type TicksOptions = {
  /** Where the znodes are: `<path>/<name>/<tick>`. Default `/cron`. */
  readonly path?: string;
  /** How many milliseconds the znode of a tick is kept at least, by the times of ticks. Default 86_400_000, a day. */
  readonly keepMs?: number;
};

export const KEEP_MS = 86_400_000;
/** As many digits as the milliseconds of every date have, so that names are ordered as ticks are. */
const DIGITS = 16;
/** How often the create of a tick is tried whose outcome is unknown. */
const ROUNDS_MAX = 5;
/** At most so many old ticks are deleted at once, so that a run does not wait for more. */
const DELETED_MAX = 64;

/** Whether this call is the one that runs the tick of this time. False for all others, in whatever program. */
export async function isElected(
  client: Client,
  tick: { readonly name: string; readonly atMs: number },
  { path = "/cron", keepMs = KEEP_MS }: TicksOptions = {},
): Promise<boolean> {
  const parent = `${path}/${segmentOf(tick.name)}`;
  const own = `${parent}/${String(tick.atMs).padStart(DIGITS, "0")}`;
  if (!(await claim(client, own))) return false;
  const { children } = await client.children(parent);
  const times = children.map(Number).filter((each) => Number.isSafeInteger(each));
  const newest = Math.max(tick.atMs, ...times);
  if (tick.atMs < newest - keepMs) {
    await remove(client, own);
    return false;
  }
  const old = children.filter((child) => Number(child) < newest - keepMs).slice(0, DELETED_MAX);
  await Promise.all(old.map((child) => remove(client, `${parent}/${child}`)));
  return true;
}

/** True if this call has made the znode: also where the answer to its create was lost. */
async function claim(client: Client, path: string): Promise<boolean> {
  const id = randomUUID();
  for (let round = 1; ; round += 1) {
    try {
      const { created } = await client.create(path, id, { parents: true, ifNotExists: true });
      if (created) return true;
      if (round === 1) return false;
      const { value } = await client.get(path);
      return value !== null && new TextDecoder().decode(value) === id;
    } catch (error) {
      const isOpen = error instanceof ZooidError && error.maybeApplied === "unknown";
      if (!isOpen || round === ROUNDS_MAX) throw error;
    }
  }
}

async function remove(client: Client, path: string): Promise<void> {
  try {
    await client.delete(path);
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
  }
}

/** A name for a znode: what a path may not hold is percent-encoded. */
export function segmentOf(name: string): string {
  const encoded = encodeURIComponent(name);
  return /^\.{1,2}$/.test(encoded) ? encoded.replaceAll(".", "%2E") : encoded || "%00";
}
