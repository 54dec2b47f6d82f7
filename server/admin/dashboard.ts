/**
 * The dashboard: the files of its bundle, which `dashboard/build.ts` has made. There is no secret in them, so whoever reaches the port gets
 * them; what they show they ask of the JSON API, which asks for proof where the node does.
 */
import { readFile } from "node:fs/promises";
import type { HttpReply } from "./http-server.ts";

export const DASHBOARD_PATH = "/dashboard";

/** In a checkout, and in the package, whose modules are a folder deeper. */
const FOLDERS: readonly URL[] = ["../../dashboard/dist/", "../../../dashboard/dist/"].map(
  (folder) => new URL(folder, import.meta.url),
);

const FILES: ReadonlyMap<string, string> = new Map([
  ["index.html", "text/html; charset=utf-8"],
  ["dashboard.js", "text/javascript; charset=utf-8"],
  ["dashboard.css", "text/css; charset=utf-8"],
]);

/**
 * Nothing but the files of the bundle is run or shown, nobody else is asked anything, and no page of somebody else's shows it in a frame.
 * Trusted types without a policy: no text becomes HTML, whatever a znode's name or value is.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": POLICY,
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const NOT_BUILT: HttpReply = {
  status: 503,
  body: "the dashboard is not built here: npm run dashboard:build makes it, and so does npm ci. The JSON API is at /api/v1 all the same\n",
};

/** What has been read, for as long as the process runs. */
const kept = new Map<string, string>();

/** Undefined: the path is none of the dashboard's. */
export async function dashboardReply(path: string): Promise<HttpReply | undefined> {
  if (path === "/" || path === DASHBOARD_PATH) {
    const headers = { ...HEADERS, Location: `${DASHBOARD_PATH}/` };
    return { status: 302, body: `the dashboard is at ${DASHBOARD_PATH}/\n`, headers };
  }
  if (!path.startsWith(`${DASHBOARD_PATH}/`)) return undefined;
  const name = path.slice(DASHBOARD_PATH.length + 1) || "index.html";
  const contentType = FILES.get(name);
  if (contentType === undefined) return { status: 404, body: "the dashboard has no such file\n" };
  const body = kept.get(name) ?? (await readBundled(name));
  if (body === undefined) return NOT_BUILT;
  kept.set(name, body);
  return { status: 200, contentType, body, headers: HEADERS };
}

async function readBundled(name: string): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    try {
      return await readFile(new URL(name, folder), "utf8");
    } catch {
      // It may be in the next one.
    }
  }
  return undefined;
}
