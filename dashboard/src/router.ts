/** Which page is shown: what stands behind the `#` of the address, so that a page can be linked to and the buttons of the browser work. */
import { type Signal, signal } from "@preact/signals";

export type Route =
  | { readonly page: "ensemble" }
  | { readonly page: "elections" }
  | { readonly page: "latency" }
  | { readonly page: "tree"; readonly path: string }
  | { readonly page: "history"; readonly path: string; readonly below?: string | undefined }
  | { readonly page: "past"; readonly path: string; readonly zxid?: string | undefined }
  | ({ readonly page: "diff"; readonly path: string } & Points)
  | ({ readonly page: "search"; readonly path: string } & Sought)
  | { readonly page: "locks"; readonly path: string }
  /** Without a session all are shown. */
  | { readonly page: "sessions"; readonly id?: string | undefined };

/** Zxids as somebody has given them. */
type Points = { readonly from?: string | undefined; readonly to?: string | undefined };

export type Sought = {
  readonly pattern?: string | undefined;
  /** Only one of the two counts: this, or `hex`. */
  readonly value?: string | undefined;
  readonly hex?: string | undefined;
};

function routeIn(hash: string): Route {
  const [, page = "", text = ""] = /^#\/(\w*)\??(.*)$/.exec(hash) ?? [];
  const query = new URLSearchParams(text);
  const path = query.get("path") ?? "/";
  const of = (name: string): string | undefined => query.get(name) ?? undefined;
  switch (page) {
    case "elections":
    case "latency":
      return { page };
    case "tree":
    case "locks":
      return { page, path };
    case "sessions":
      return { page, id: of("id") };
    case "history":
      return { page, path, below: of("below") };
    case "past":
      return { page, path, zxid: of("zxid") };
    case "diff":
      return { page, path, from: of("from"), to: of("to") };
    case "search":
      return { page, path, pattern: of("pattern"), value: of("value"), hex: of("hex") };
    default:
      return { page: "ensemble" };
  }
}

export const route: Signal<Route> = signal<Route>(routeIn(location.hash));
addEventListener("hashchange", () => {
  route.value = routeIn(location.hash);
});

export function hrefOf({ page, ...query }: Route): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given as [string, string][]).toString();
  return `#/${page}${text === "" ? "" : `?${text}`}`;
}

export function go(to: Route): void {
  location.hash = hrefOf(to);
}

/** As `go`, without a further step for the browser's way back. */
export function replaceBy(to: Route): void {
  history.replaceState(null, "", hrefOf(to));
  route.value = to;
}
