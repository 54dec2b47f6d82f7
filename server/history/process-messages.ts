/** What a node and the process that reads the past for it say to each other. */
import type { Zxid } from "../../protocol/zxid.ts";
import type { HistoryCode } from "./errors.ts";
import type { Asked } from "./questions.ts";

export type PastRequest = {
  readonly asked: Asked;
  /** What the node has applied. */
  readonly committed: Zxid;
};

/** The exit code of one that would take more memory than it may. */
export const EXIT_NO_MEMORY = 3;

export type PastReply =
  | { readonly kind: "answer"; readonly body: object }
  | { readonly kind: "refused"; readonly code: HistoryCode; readonly message: string };
