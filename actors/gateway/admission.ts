/**
 * This file decides which writes of clients are refused while there is no space for them on the disk or in memory. A write that is
 * refused is handed on to nobody.
 */
import { Code } from "../../protocol/codes.ts";
import type { ClientOperation } from "../../protocol/operations.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";

/**
 * `asks`: the tree is to be asked first whether the write makes it larger. The answer may be out of date when the write is applied;
 * the tree's limits leave room for all writes that are under way.
 */
export type Verdict = "taken" | "asks" | "refused";

/**
 * The space that is left on a disk when it is low is kept for sessions and for `sync`, which writes next to nothing. With no space
 * at all a sync could not be answered either, so it is refused; the end of a session waits until there is some.
 */
export function verdictOf(operation: ClientOperation, admission: WriteAdmission): Verdict {
  if (admission === "all" || operation.kind === "closeSession") return "taken";
  if (admission === "noGrowth") return growthVerdict(operation);
  return admission === "none" || operation.kind !== "sync" ? "refused" : "taken";
}

function growthVerdict(operation: ClientOperation): Verdict {
  switch (operation.kind) {
    case "create":
      return "refused";
    case "setData":
    case "setAcl":
      return "asks";
    case "multi": {
      const mayGrow = operation.operations.some(
        ({ kind }) => kind === "create" || kind === "setData",
      );
      return mayGrow ? "asks" : "taken";
    }
    default:
      return "taken";
  }
}

/** This code answers a write that is refused. */
export function refusalCode(admission: WriteAdmission): Code {
  return admission === "noGrowth" ? Code.quotaExceeded : Code.notReadOnly;
}
