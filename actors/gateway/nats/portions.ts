/**
 * Changes that go to many streams. The tree gives all streams that follow the same znodes one list; it is cut into portions once, and
 * each portion is encoded once for all streams that are sent it in the same turn of the loop. Then both are forgotten, so that what
 * waits for a slow client is the changes alone.
 */
import { changeBytes } from "../../../protocol/changes.ts";
import { NATIVE_FRAME_BYTES_SOFT_MAX } from "../../../protocol/limits.ts";
import { encodeChanges } from "../../../protocol/native-changes.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Turn } from "./state.ts";

export type Portion = {
  readonly changes: readonly Change[];
  readonly through: Zxid;
  readonly bytes: number;
};

/** What the gateway has cut and encoded since the last end of a turn. */
export type SharedPortions = {
  /** By the tree's lists. */
  readonly cut: Map<readonly Change[], readonly Portion[]>;
  /** The CBOR of the portions' lists. */
  readonly encoded: Map<Portion, Uint8Array>;
};

type TreeChanges = { readonly changes: readonly Change[]; readonly through: Zxid };

/** Cuts the changes into portions of about a frame. Each ends between zxids; the last covers everything up to `through`. */
export function portionsOf(turn: Turn, from: TreeChanges): readonly Portion[] {
  const { cut } = turn.state.shared;
  const known = cut.get(from.changes);
  if (known !== undefined) return known;
  const portions = cutUp(from);
  askForEndOfTurn(turn);
  cut.set(from.changes, portions);
  return portions;
}

export function encodedPortion(turn: Turn, portion: Portion): Uint8Array {
  const { encoded } = turn.state.shared;
  const known = encoded.get(portion);
  if (known !== undefined) return known;
  const list = encodeChanges(portion.changes);
  askForEndOfTurn(turn);
  encoded.set(portion, list);
  return list;
}

/** Whoever leaves something for the end of the turn calls this before, since it asks only if nothing was left yet. */
export function askForEndOfTurn({ state, effects }: Turn): void {
  const { cut, encoded } = state.shared;
  if (state.dirty.size + cut.size + encoded.size === 0) effects.push({ kind: "endOfTurn" });
}

export function forgetShared({ cut, encoded }: SharedPortions): void {
  cut.clear();
  encoded.clear();
}

function cutUp(from: TreeChanges): Portion[] {
  const portions: Portion[] = [];
  let changes: Change[] = [];
  let bytes = 0;
  for (const change of from.changes) {
    const last = changes.at(-1);
    if (last !== undefined && bytes >= NATIVE_FRAME_BYTES_SOFT_MAX && last.zxid !== change.zxid) {
      portions.push({ changes, through: last.zxid, bytes });
      changes = [];
      bytes = 0;
    }
    changes.push(change);
    bytes += changeBytes(change);
  }
  portions.push({ changes, through: from.through, bytes });
  return portions;
}
