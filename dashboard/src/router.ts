/** Which page is shown: what stands behind the `#` of the address, so that a page can be linked to and the buttons of the browser work. */
import { type Signal, signal } from "@preact/signals";

export type Route =
  | { readonly page: "ensemble" }
  | { readonly page: "elections" }
  | { readonly page: "tree"; readonly path: string };

function routeIn(hash: string): Route {
  const [, page = "", query = ""] = /^#\/(\w*)\??(.*)$/.exec(hash) ?? [];
  if (page === "elections") return { page };
  if (page !== "tree") return { page: "ensemble" };
  return { page, path: new URLSearchParams(query).get("path") ?? "/" };
}

export const route: Signal<Route> = signal<Route>(routeIn(location.hash));
addEventListener("hashchange", () => {
  route.value = routeIn(location.hash);
});

export function hrefOf(to: Route): string {
  if (to.page !== "tree") return `#/${to.page}`;
  return `#/tree?${new URLSearchParams({ path: to.path }).toString()}`;
}

export function go(to: Route): void {
  location.hash = hrefOf(to);
}
