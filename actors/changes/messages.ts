/** The changes actor: change streams for readers in the node's own process. It lives on the main thread. */
import type { Recursive } from "../../protocol/changes.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { TreeReply, TreeReset } from "../tree/messages.ts";

/** From the node: a reader in this process. Its number is never used again. */
export type OpenReader = {
  readonly kind: "openReader";
  readonly reader: number;
  readonly path: string;
  /** Also everything below the path, or its children. */
  readonly recursive: Recursive;
  /** Changes after this zxid; undefined: from now on, or from when this node first serves. */
  readonly after: Zxid | undefined;
};

export type ChangesMessage =
  | OpenReader
  /** The reader has taken what it was given last, and takes the next. */
  | { readonly kind: "taken"; readonly reader: number }
  /** The reader has enough, or was told that there is no more. */
  | { readonly kind: "closeReader"; readonly reader: number }
  | Leadership
  | Extract<TreeReply, { readonly kind: "changes" | "compacted" }>
  | TreeReset;

/** What a reader is given at once, after which it says `taken`. */
export type ReaderItem =
  /** Changes in order, all of one zxid together, perhaps none. With them everything up to `through` has been given. */
  | {
      readonly kind: "changes";
      readonly changes: readonly Change[];
      readonly through: Zxid;
    }
  /** What comes next is no longer kept. Nothing follows. */
  | { readonly kind: "compacted"; readonly oldest: Zxid }
  /** A bug of this actor cost the reader its stream. Nothing follows. */
  | { readonly kind: "failed"; readonly reason: string };

/** Emitted under `streamed`. */
export type Streamed = {
  readonly kind: "streamed";
  readonly reader: number;
  readonly item: ReaderItem;
};
