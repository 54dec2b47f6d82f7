/**
 * Which writes of clients are refused while there is no room for them on the disk or in memory. None that is refused is handed on.
 */
import { Code } from "../../protocol/codes.ts";
import type { ClientOperation } from "../../protocol/operations.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";

/**
 * `asks`: whether it makes the tree larger is to be asked of the tree before. It may have changed when the write is applied; the
 * tree's limits leave room for all that is under way.
 */
export type Verdict = "taken" | "asks" | "refused";

/**
 * What is left on a disk when room is low is for sessions and for `sync`, which writes next to nothing. Without any, a sync would
 * not come back either; the end of a session waits.
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

/** What a refused write is answered. */
export function refusalCode(admission: WriteAdmission): Code {
  return admission === "noGrowth" ? Code.quotaExceeded : Code.notReadOnly;
}
