/** The events of a client's change streams. */
import type { Change } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";

/** Every change up to `zxid` has been delivered, so a later stream may begin from it. */
export type Progress = {
  readonly kind: "progress";
  /** The stream has come this far. */
  readonly zxid: Zxid;
};

/**
 * `compacted`: the ensemble no longer keeps the changes. `opened`, of a view only: the client may read a znode that it could not read
 * before, so the subtree was read again.
 */
export type GapReason = "compacted" | "opened";

/**
 * The changes after `from`, up to `to`, are lost to the stream: see `because`. With `onGap: "emit"` the
 * changes after `to` follow. With `onGap: "reread"` what there is at `to` follows, each znode as `present`, those above before those below,
 * then `progress` of `to`, then the changes after `to`: who keeps a copy empties it here, and has it right again at that progress.
 */
export type Gap = {
  readonly kind: "gap";
  /** Everything up to this zxid was given. */
  readonly from: Zxid;
  /** From here on nothing is lost. */
  readonly to: Zxid;
  /** Why they are lost. */
  readonly because: GapReason;
};

/** A znode that is there after a gap; no change of it is told by this. */
export type Present = {
  readonly kind: "present";
  /** What is told of the znode was so at this zxid: the gap's `to`. */
  readonly zxid: Zxid;
  /** Which znode it is. */
  readonly path: string;
  /** Its Stat then. */
  readonly stat: Stat;
  /** Its data then. Null: it has none. */
  readonly data: Uint8Array | null;
};

/** All that a stream of changes may tell. With given options it is less: see EventOf. */
export type StreamEvent = Change | Progress | Gap | Present;

type Given<Options, Name extends string> = Name extends keyof Options
  ? Exclude<Options[Name], undefined>
  : never;

/** What a stream with these options may tell of. */
export type EventOf<Options> =
  | Change
  | ([Given<Options, "progressMs">] extends [never] ? never : Progress)
  | ("emit" extends Given<Options, "onGap"> ? Gap : never)
  | ("reread" extends Given<Options, "onGap"> ? Gap | Present | Progress : never);
