/** A chroot: callers name paths below a znode as if that were the root. Only the client knows of it; servers see whole paths. */
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";

/** The path as the servers know it. */
export function wholePath(chroot: string, path: string): string {
  if (chroot === "") return path;
  return path === "/" ? chroot : `${chroot}${path}`;
}

/** The path as callers know it. One that is not below the chroot is returned as it is. */
export function ownPath(chroot: string, path: string): string {
  if (chroot === "" || !path.startsWith(chroot)) return path;
  if (path.length === chroot.length) return "/";
  return path.charCodeAt(chroot.length) === SLASH ? path.slice(chroot.length) : path;
}

const SLASH = 0x2f;

export function wholeOperation(chroot: string, operation: ClientOperation): ClientOperation {
  if (chroot === "" || operation.kind === "closeSession") return operation;
  if (operation.kind !== "multi") return withWholePath(chroot, operation);
  const operations = operation.operations.map((each) => withWholePath(chroot, each));
  return { kind: "multi", operations };
}

function withWholePath<Any extends ZnodeOperation | { readonly path: string }>(
  chroot: string,
  operation: Any,
): Any {
  // The name of a sequential znode may be empty: its path ends with the slash then.
  const isNameless = "mode" in operation && operation.mode.sequential && operation.path === "/";
  const path = isNameless ? `${chroot}/` : wholePath(chroot, operation.path);
  return { ...operation, path };
}
