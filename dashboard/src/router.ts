/** Which page is shown: what stands behind the `#` of the address, so that a page can be linked to and the buttons of the browser work. */
import { type Signal, signal } from "@preact/signals";

export type Route =
  | { readonly page: "ensemble" }
  | { readonly page: "elections" }
  | { readonly page: "latency" }
  | { readonly page: "tree"; readonly path: string }
  | { readonly page: "locks"; readonly path: string }
  /** Without a session all are shown. */
  | { readonly page: "sessions"; readonly id?: string };

function routeIn(hash: string): Route {
  const [, page = "", query = ""] = /^#\/(\w*)\??(.*)$/.exec(hash) ?? [];
  const parameters = new URLSearchParams(query);
  switch (page) {
    case "tree":
    case "locks":
      return { page, path: parameters.get("path") ?? "/" };
    case "sessions": {
      const id = parameters.get("id");
      return id === null ? { page } : { page, id };
    }
    case "elections":
    case "latency":
      return { page };
    default:
      return { page: "ensemble" };
  }
}

export const route: Signal<Route> = signal<Route>(routeIn(location.hash));
addEventListener("hashchange", () => {
  route.value = routeIn(location.hash);
});

export function hrefOf({ page, ...parameters }: Route): string {
  const query = new URLSearchParams(parameters).toString();
  return `#/${page}${query === "" ? "" : `?${query}`}`;
}

export function go(to: Route): void {
  location.hash = hrefOf(to);
}
