/** Walks over a subtree: each znode before those below it, in the order of names, reading some znodes ahead. */
import { type Client, NoAuthError, NoNodeError, type Stat } from "../../client/connect.ts";
import { childOf } from "../../protocol/paths.ts";

/** How many znodes are read at a time. */
const AHEAD = 64;
const PAGE_SIZE = 10_000;

export type Walked = {
  readonly path: string;
  /** 0: the root of the walk. */
  readonly depth: number;
  /** For itself and its ancestors below the root: whether it is the last child. */
  readonly lasts: readonly boolean[];
  /** Undefined: the access control list does not allow to read it. */
  readonly found: Found | undefined;
};

export type Found = { readonly children: readonly string[]; readonly stat: Stat };

export type WalkOptions = {
  readonly signal: AbortSignal;
  /** How many levels below the root are visited. Default: all. */
  readonly depthMax?: number | undefined;
  /** Names below the root that are left out, with all that is below them. Default: none. */
  readonly without?: readonly string[];
};

type Outcome =
  | { readonly kind: "found"; readonly found: Found }
  | { readonly kind: "gone" }
  | { readonly kind: "refused" }
  | { readonly kind: "failed"; readonly error: unknown };

type Place = Pick<Walked, "path" | "depth" | "lasts">;
type Pending = Place & { reading?: Promise<Outcome> };

/** Rejects with NoNodeError if there is nothing at the root. What is deleted meanwhile is left out. */
export async function* walk(
  client: Client,
  root: string,
  { signal, depthMax = Number.POSITIVE_INFINITY, without = [] }: WalkOptions,
): AsyncGenerator<Walked, void, undefined> {
  const stack: Pending[] = [{ path: root, depth: 0, lasts: [] }];
  for (;;) {
    for (const ahead of stack.slice(-AHEAD))
      ahead.reading ??= outcomeOf(client, ahead.path, signal);
    const next = stack.pop();
    if (next === undefined) return;
    const outcome = (await next.reading) ?? { kind: "gone" };
    const { path, depth, lasts } = next;
    if (outcome.kind === "failed") throw outcome.error;
    if (outcome.kind === "gone") {
      if (depth === 0) throw new NoNodeError(path);
      continue;
    }
    const found = outcome.kind === "found" ? outcome.found : undefined;
    yield { path, depth, lasts, found };
    if (depth >= depthMax) continue;
    const names = (found?.children ?? []).filter((name) => depth > 0 || !without.includes(name));
    // The first name comes to stand on top.
    for (let index = names.length - 1; index >= 0; index -= 1) {
      const isLast = index === names.length - 1;
      stack.push({
        path: childOf(path, names[index] ?? ""),
        depth: depth + 1,
        lasts: [...lasts, isLast],
      });
    }
  }
}

/** The children of a znode, sorted, and its own Stat. */
export async function readChildren(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<Found> {
  let stat: Stat | undefined;
  const names: string[] = [];
  for await (const page of client.childrenPages(path, { size: PAGE_SIZE, signal })) {
    stat ??= page.stat;
    for (const name of page.children) names.push(name);
  }
  if (stat === undefined) throw new NoNodeError(path);
  return { children: names.sort(), stat };
}

async function outcomeOf(client: Client, path: string, signal: AbortSignal): Promise<Outcome> {
  try {
    return { kind: "found", found: await readChildren(client, path, signal) };
  } catch (error) {
    if (error instanceof NoNodeError) return { kind: "gone" };
    if (error instanceof NoAuthError) return { kind: "refused" };
    return { kind: "failed", error };
  }
}
