/**
 * Deletes a znode and all that is below it: by one operation where the ensemble knows one and the tree is not too large for it,
 * otherwise from below, some znodes at a time.
 */
import { Code } from "../protocol/codes.ts";
import { errorOfCode, NoNodeError, NotEmptyError } from "../protocol/errors.ts";
import { REMOVE_RECURSIVE_MAX } from "../protocol/limits.ts";
import type { NativeMember } from "../protocol/native-packing.ts";
import type { Answer } from "./session/messages.ts";
import type { CallOptions, WireFeatures } from "./wire.ts";

/** How many deletes are under way at once. */
const UNDER_WAY_MAX = 64;
/** How often the walk begins again because others create znodes in the subtree meanwhile. */
const ROUNDS_MAX = 32;

type TreeClient = {
  readonly wire: { readonly features: WireFeatures };
  multi(operations: readonly NativeMember[], path: string, options: CallOptions): Promise<Answer>;
  children(path: string, options: CallOptions): Promise<{ readonly children: readonly string[] }>;
  delete(path: string, options: CallOptions): Promise<void>;
};

export type DeleteTreeOptions = CallOptions & {
  /** Called for each znode that was deleted by itself; not where all are deleted by one operation. Default: nobody is. */
  readonly onDeleted?: () => void;
};

/** Rejects with NoNodeError if there is no znode at the path. */
export async function deleteTree(
  client: TreeClient,
  path: string,
  options: DeleteTreeOptions,
): Promise<void> {
  if (client.wire.features.wideOperations && (await deletedAtOnce(client, path, options))) return;
  for (let round = 1; ; round += 1) {
    await emptied(client, path, options);
    try {
      await client.delete(path, options);
      options.onDeleted?.();
      return;
    } catch (error) {
      if (!(error instanceof NotEmptyError) || round === ROUNDS_MAX) throw error;
    }
  }
}

/** Returns false if the tree is larger than one operation may delete. */
async function deletedAtOnce(
  client: TreeClient,
  path: string,
  options: CallOptions,
): Promise<boolean> {
  // By itself the operation is a success where there is nothing.
  const operations: readonly NativeMember[] = [
    { kind: "check", path, version: -1 },
    { kind: "removeRecursive", path, znodesMax: REMOVE_RECURSIVE_MAX },
  ];
  const { result } = await client.multi(operations, path, options);
  const results = result.kind === "multi" ? result.results : [result];
  for (const each of results) {
    if (each.kind !== "error" || each.code === Code.ok) continue;
    if (each.code === Code.notEmpty) return false;
    throw errorOfCode(each.code, path);
  }
  return true;
}

/** Deletes what is below the path, as far as it was there when it was looked for. */
async function emptied(
  client: TreeClient,
  path: string,
  options: DeleteTreeOptions,
): Promise<void> {
  const { children } = await client.children(path, options);
  const below = path === "/" ? "/" : `${path}/`;
  for (let at = 0; at < children.length; at += UNDER_WAY_MAX) {
    const some = children.slice(at, at + UNDER_WAY_MAX);
    const full = await Promise.all(
      some.map(async (name) => ((await isDeleted(client, below + name, options)) ? [] : [name])),
    );
    for (const name of full.flat()) await emptiedAndDeleted(client, below + name, options);
  }
}

async function emptiedAndDeleted(
  client: TreeClient,
  path: string,
  options: DeleteTreeOptions,
): Promise<void> {
  try {
    await emptied(client, path, options);
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
  }
  // With children again: the walk over the whole tree begins once more.
  await isDeleted(client, path, options);
}

/** False: the znode has children. */
async function isDeleted(
  client: TreeClient,
  path: string,
  options: DeleteTreeOptions,
): Promise<boolean> {
  try {
    await client.delete(path, options);
    options.onDeleted?.();
  } catch (error) {
    if (error instanceof NotEmptyError) return false;
    if (!(error instanceof NoNodeError)) throw error;
  }
  return true;
}
