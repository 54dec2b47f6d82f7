/** What simulated clients ask in the native protocol, and the comparison of what they are told with the truth. */
import { Code } from "../../../protocol/codes.ts";
import { CHANGED_PATHS_MAX } from "../../../protocol/limits.ts";
import type { NativeRequest, NativeResult, NativeWrite } from "../../../protocol/native-packing.ts";
import type {
  ClientOperation,
  OperationResult,
  ZnodeOperation,
} from "../../../protocol/operations.ts";
import { nameOf, parentOf } from "../../../protocol/paths.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Model } from "../checks/model.ts";
import { checkRead, statProblem } from "../checks/replies.ts";
import { textOf } from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import { checkChangedPaths, checkChildStats, checkWide } from "../checks/wide-replies.ts";
import type { Random } from "../random.ts";
import type { SimWho } from "./identities.ts";
import { NAMES } from "./shapes.ts";
import type { ReplyBody, SimRequest } from "./wire.ts";

/** What is asked for as native clients ask, who have no watches and read one znode at a time. */
export function nativeRequest(request: SimRequest, random: Random): NativeRequest {
  switch (request.kind) {
    case "write":
      return { kind: "write", operation: nativeWrite(request.operation, random) };
    case "read": {
      const { read, path } = request;
      if (read === "getAcl") return { kind: "read", read: { kind: read, path } };
      const kind = read === "getNames" ? "getChildren" : read;
      return { kind: "read", read: { kind, path, watch: false } };
    }
    case "wide": {
      const { asked } = request;
      if (asked.kind === "whoAmI") return asked;
      return { kind: "read", read: { kind: "exists", path: asked.path, watch: false } };
    }
    default:
      throw new Error(`native clients ask for no ${request.kind}`);
  }
}

/** The path about which native clients have reads of their own: where other clients ask about more than one znode, and for some of what both ask for. */
export function wideNativePath(request: SimRequest, number: number): string | undefined {
  if (request.kind === "read") {
    const isWide = request.read === "exists" || request.read === "getChildren";
    return isWide && number % 2 === 0 ? request.path : undefined;
  }
  if (request.kind !== "wide" || request.asked.kind === "whoAmI") return undefined;
  return request.asked.path;
}

/** The Stats of the znode and of its siblings, which may be there or not. The root is no child. */
export function childStats(path: string): NativeRequest {
  const names = [nameOf(path), ...NAMES].filter((name) => name !== "");
  return { kind: "read", read: { kind: "childStats", path: parentOf(path), names } };
}

/** Below a znode of few paths, so that there are more now and then. */
const CHANGED_PATHS = 5;

export function changedPaths(path: string, after: Zxid): NativeRequest {
  const pathsMax = path === "/" ? CHANGED_PATHS_MAX : CHANGED_PATHS;
  return { kind: "read", read: { kind: "changedPaths", path, below: true, after, pathsMax } };
}

function nativeWrite(operation: ClientOperation, random: Random): NativeWrite {
  switch (operation.kind) {
    case "create":
      return nativeCreate(operation, random);
    case "multi":
      return multiOf(operation.operations, random);
    case "check":
    case "checkNotExists":
    case "checkStat":
    case "tryRemove":
    case "refusal":
      // They are operations of multis only.
      return multiOf([operation], random);
    default:
      return operation;
  }
}

function multiOf(operations: readonly ZnodeOperation[], random: Random): NativeWrite {
  const members = operations.flatMap((each) => (each.kind === "refusal" ? [] : [each]));
  return {
    kind: "multi",
    operations: members.map((each) => (each.kind === "create" ? nativeCreate(each, random) : each)),
  };
}

type Create = Extract<NativeWrite, { readonly kind: "create" }>;

/** Some leave a znode that is there as it is, also of containers and with a time to live. */
function nativeCreate(create: Create, random: Random): Create {
  const mayLeave = !create.mode.sequential && random.chance(0.1);
  return mayLeave ? { ...create, unlessExists: true } : create;
}

export function requestText(request: NativeRequest): string {
  if (request.kind === "whoAmI") return request.kind;
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
  if (result.kind === "multi" && applied.kind === "multi") return multiProblem(result, applied);
  return "stat" in result && "stat" in applied ? statProblem(result.stat, applied.stat) : undefined;
}

function multiProblem(
  result: Extract<NativeResult, { readonly kind: "multi" }>,
  applied: Extract<OperationResult, { readonly kind: "multi" }>,
): string | undefined {
  const { length } = applied.results;
  if (result.failed !== applied.failed) return `failed: ${result.failed}`;
  if (result.results.length !== length) return `${result.results.length} results, not ${length}`;
  for (const [index, each] of result.results.entries()) {
    const problem = nativeWriteProblem(each, applied.results[index] ?? { kind: "done" });
    if (problem !== undefined) return `operation ${index}: ${problem}`;
  }
  return undefined;
}

export function checkNativeRead(
  model: Model,
  client: {
    readonly name: string;
    readonly who: SimWho;
    readonly session: { readonly id: number } | undefined;
  },
  asked: Exclude<NativeRequest, { readonly kind: "write" }>,
  answer: { readonly zxid: Zxid; readonly result: NativeResult },
): void {
  const { zxid, result } = answer;
  const code = result.kind === "error" ? result.code : Code.ok;
  const header = { xid: 0, zxid, code };
  if (asked.kind === "whoAmI") {
    checkWide(model, client, asked, header, bodyOf(result, client.name));
    return;
  }
  const { read } = asked;
  switch (read.kind) {
    case "childrenPage":
      throw new Error("simulated clients ask for no pages");
    case "childStats":
      checkChildStats(model, client.name, read, answer);
      return;
    case "changedPaths":
      checkChangedPaths(model, client, read, answer);
      return;
    default: {
      const of = { read: read.kind, path: read.path };
      checkRead(model, client, of, header, bodyOf(result, client.name));
    }
  }
}

function bodyOf(result: NativeResult, who: string): ReplyBody {
  switch (result.kind) {
    case "data":
    case "children":
    case "stat":
    case "acl":
      return result;
    case "identities": {
      const infos = result.identities.map(({ scheme, id }) => `${scheme}:${id}`);
      return { kind: "infos", infos };
    }
    case "error":
      return { kind: "nothing" };
    default:
      must(false, "protocol", () => `${who}: a ${result.kind} for a read`);
      return { kind: "nothing" };
  }
}
