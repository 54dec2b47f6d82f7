/** The log actor: durable appends, truncation, segments, the promise. It lives in the log lane. */
import type { TimerMessage } from "../../runtime/effects.ts";
import type { DiskOutcome } from "../../runtime/disk.ts";
import type { EpochPromise } from "../log-sync/messages.ts";
import type { Zxid } from "../../protocol/zxid.ts";

export type LogMessage =
  /**
   * Verified records that follow the log's end. Answered with `appended` once durable; several appends may be answered
   * by one `appended` (group commit).
   */
  | { readonly kind: "append"; readonly records: readonly Uint8Array[] }
  /** Removes every record after `after`, which is a record's lastZxid or 0. Answered with `truncated` once durable. */
  | { readonly kind: "truncate"; readonly after: Zxid }
  /** Answered with `promised` once durable: written, fsynced, renamed, the folder fsynced. */
  | { readonly kind: "promise"; readonly promise: EpochPromise }
  /** Answered with `records`: the ones that follow `after`, at least one if there is one, else up to `bytesMax`. */
  | {
      readonly kind: "read";
      readonly tag: number;
      readonly after: Zxid;
      readonly bytesMax: number;
    }
  | TimerMessage
  | DiskOutcome;

/** What the log tells log-sync. */
export type LogReport =
  /** Once, first of all. `lastZxids` has the lastZxid of every record of the log, ascending. */
  | {
      readonly kind: "recovered";
      readonly promise: EpochPromise;
      readonly lastZxids: readonly Zxid[];
      /** Increased and made durable at every start: the incarnation of this node's submitters. */
      readonly incarnation: number;
      /** Bytes of a torn last write that were cut off. */
      readonly tornBytes: number;
    }
  /** Everything up to `lastZxid` is durable. `truncations` counts the truncations done before, since the start. */
  | { readonly kind: "appended"; readonly lastZxid: Zxid; readonly truncations: number }
  | { readonly kind: "truncated"; readonly lastZxid: Zxid; readonly truncations: number }
  | { readonly kind: "promised"; readonly promise: EpochPromise }
  | {
      readonly kind: "records";
      readonly tag: number;
      readonly after: Zxid;
      readonly records: readonly Uint8Array[];
    }
  /** The disk is full: nothing after `durable` was kept, appends are refused until `writable`. */
  | { readonly kind: "diskFull"; readonly durable: Zxid }
  | { readonly kind: "writable" };
