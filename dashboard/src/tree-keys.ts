/** Where a key leads to in the list of the tree. */

type Rows = {
  readonly length: number;
  /** Undefined: there is no such row. */
  readonly at: (index: number) => { readonly kind: "znode" | "more" } | undefined;
};

/**
 * The index of the znode that a move between two rows ends at. A row that stands for children that were not read is stepped over, in the
 * direction of the move where a znode follows there, and back where none does.
 */
export function landingOf(
  rows: Rows,
  move: { readonly from: number; readonly to: number },
): number {
  const target = Math.max(0, Math.min(move.to, rows.length - 1));
  const onward = move.to < move.from ? -1 : 1;
  for (const step of [onward, -onward]) {
    for (let at = target; at >= 0 && at < rows.length; at += step) {
      if (rows.at(at)?.kind === "znode") return at;
    }
  }
  return move.from;
}
