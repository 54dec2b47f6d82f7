/** Which znode a request is about. */

/** Several operations in one are about what the first of them is. Undefined: the request is about no path. */
export function pathOf(request: object): string | undefined {
  if ("path" in request && typeof request.path === "string") return request.path;
  for (const list of ["operations", "reads"] as const) {
    if (!(list in request)) continue;
    const [first] = (request as Record<typeof list, readonly object[]>)[list];
    return first === undefined ? undefined : pathOf(first);
  }
  return undefined;
}
