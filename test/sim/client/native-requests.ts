/** What simulated clients ask in the native protocol, and the comparison of what they are told with the truth. */
import { Code } from "../../../protocol/codes.ts";
import type { NativeRead, NativeRequest, NativeResult } from "../../../protocol/native-packing.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Model } from "../checks/model.ts";
import { checkRead, statProblem } from "../checks/replies.ts";
import { textOf } from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import type { SimWho } from "./identities.ts";
import type { ReplyBody, SimRequest } from "./wire.ts";

export function nativeRequest(request: SimRequest): NativeRequest {
  if (request.kind === "read") {
    const { read, path } = request;
    if (read === "getAcl" || read === "getNames") {
      throw new Error(`native clients ask for no ${read}`);
    }
    return { kind: "read", read: { kind: read, path, watch: false } };
  }
  if (request.kind !== "write") throw new Error(`native clients ask for no ${request.kind}`);
  const { operation } = request;
  switch (operation.kind) {
    case "multi":
    case "setAcl":
    case "check":
    case "checkNotExists":
    case "checkStat":
    case "tryRemove":
    case "removeRecursive":
    case "refusal":
      throw new Error(`native clients cannot ask for a ${operation.kind}`);
    default:
      return { kind: "write", operation };
  }
}

export function requestText(request: NativeRequest): string {
  if (request.kind === "write") return textOf(request.operation);
  return `${request.read.kind} ${request.read.path}`;
}

/** What is wrong with the result of a write, as it was applied. */
export function nativeWriteProblem(
  result: NativeResult,
  applied: OperationResult,
): string | undefined {
  if (applied.kind === "error") {
    const code = result.kind === "error" ? result.code : Code.ok;
    return code === applied.code ? undefined : `code ${code}, not ${applied.code}`;
  }
  if (result.kind !== applied.kind) return `a ${result.kind}, not a ${applied.kind}`;
  if (result.kind === "created" && applied.kind === "created" && result.path !== applied.path) {
    return `created ${result.path}, not ${applied.path}`;
  }
  return "stat" in result && "stat" in applied ? statProblem(result.stat, applied.stat) : undefined;
}

export function checkNativeRead(
  model: Model,
  client: { readonly name: string; readonly who: SimWho },
  read: NativeRead,
  answer: { readonly zxid: Zxid; readonly result: NativeResult },
): void {
  const { zxid, result } = answer;
  const code = result.kind === "error" ? result.code : Code.ok;
  const header = { xid: 0, zxid, code };
  const { kind, path } = read;
  if (kind === "childrenPage") throw new Error("simulated clients ask for no pages");
  checkRead(model, client, { read: kind, path }, header, bodyOf(result, client.name));
}

function bodyOf(result: NativeResult, who: string): ReplyBody {
  switch (result.kind) {
    case "data":
    case "children":
    case "stat":
      return result;
    case "error":
      return { kind: "nothing" };
    default:
      must(false, "protocol", () => `${who}: a ${result.kind} for a read`);
      return { kind: "nothing" };
  }
}
