/** A web page of somebody else's can have a browser send requests, with the certificate of whoever looks at it, and a browser says so. */
import type { HttpRequest } from "./http-server.ts";

/** Why the request may change nothing. Undefined: no browser says that it is of a page from elsewhere. */
export function foreignProblem({
  origin,
  host,
  fetchSite,
  isSecure,
}: HttpRequest): string | undefined {
  const own = `${isSecure ? "https" : "http"}://${host ?? ""}`;
  if (origin !== undefined && origin.toLowerCase() !== own.toLowerCase()) {
    return `a page of ${origin} may change nothing here`;
  }
  const isOwn = fetchSite === undefined || fetchSite === "same-origin" || fetchSite === "none";
  return isOwn ? undefined : "a page from elsewhere may change nothing here";
}
