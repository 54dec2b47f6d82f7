/** Children by pages: asks for one page after the other, and begins again where the ensemble no longer knows where the last one ended. */
import type { ChildrenPage } from "../protocol/reads.ts";
import type { NativePage, NativeRead, NativeResult } from "../protocol/native-packing.ts";
import type { Stat } from "../protocol/stat.ts";
import { PAGE_AFTER_MAX } from "../protocol/limits.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { CallOptions } from "./wire.ts";

/** Some children of a znode, as `childrenPages` gives them. */
export type Page = {
  /** Names that no page before has had, in no particular order. Empty only in the one page of a znode without children. */
  readonly children: readonly string[];
  /** The znode's own, when this page was read. */
  readonly stat: Stat;
  /** That of this page. `changes(path, { from })` with the zxid of the *first* page misses nothing of what came between the pages. */
  readonly zxid: Zxid;
};

/** How children are read by pages. */
export type PagesOptions = CallOptions & {
  /** The most names in a page, 1 to 10_000. Default 1_000. */
  readonly size?: number;
};

export const PAGE_SIZE = 1_000;

/** How often it begins again before it asks for all children at once. */
const RESTARTS_MAX = 8;

/** Asks for a page, or for all children. */
type AskForChildren = (read: NativeRead) => Promise<{
  readonly zxid: Zxid;
  readonly result: NativePage | Extract<NativeResult, { readonly kind: "children" }>;
}>;

export async function* pagesOf(
  ask: AskForChildren,
  {
    path,
    size: childrenMax,
    hasPages,
  }: { readonly path: string; readonly size: number; readonly hasPages: boolean },
): AsyncGenerator<Page, void, undefined> {
  const given = new Set<string>();
  let after: ChildrenPage["after"];
  for (let restarts = 0; ; ) {
    const read: NativeRead =
      !hasPages || restarts > RESTARTS_MAX
        ? { kind: "getChildren", path, watch: false }
        : { kind: "childrenPage", path, childrenMax, after };
    const { result, zxid } = await ask(read);
    const { children, stat } = result;
    const fresh = children.filter((name) => !given.has(name));
    for (const name of fresh) given.add(name);
    const isEnd = result.kind === "children" || result.end === "last";
    // A znode without children has a page, too.
    if (fresh.length > 0 || (isEnd && given.size === 0)) yield { children: fresh, stat, zxid };
    if (isEnd) return;
    if (result.end === "lost") restarts += 1;
    const { order } = result;
    after =
      result.end === "lost" ? undefined : { names: children.slice(-PAGE_AFTER_MAX), zxid, order };
  }
}
