/** Checks of what recipes are given. */
import { checkCallOptions, checkOptions, checkPath } from "../../protocol/arguments.ts";
import { BadArgumentsError } from "../../protocol/errors.ts";

export function checkWait(
  path: string,
  options: { readonly waitMs?: unknown; readonly signal?: unknown },
): void {
  checkPath(path);
  checkOptions("options", options);
  const { waitMs, signal } = options;
  checkCallOptions({ signal });
  if (waitMs === undefined) return;
  const isTime = typeof waitMs === "number" && Number.isInteger(waitMs) && waitMs >= 0;
  if (!isTime) throw new BadArgumentsError("`waitMs` is an integer of milliseconds, 0 or more");
}

export function checkLayout(layout: unknown): void {
  if (layout === "curator" || layout === "kazoo") return;
  throw new BadArgumentsError('`layout` is "curator" or "kazoo"');
}
