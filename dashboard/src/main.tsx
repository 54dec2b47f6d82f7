/** The dashboard: the frame around its pages. */
import { effect } from "@preact/signals";
import { type JSX, render } from "preact";
import { access, accessProblem, askAccess, offers } from "./access.ts";
import { asksForToken, forgetToken, token } from "./api.ts";
import { DiffPage } from "./pages/diff.tsx";
import { ElectionsPage } from "./pages/elections.tsx";
import { EnsemblePage } from "./pages/ensemble.tsx";
import { HistoryPage } from "./pages/history.tsx";
import { LatencyPage } from "./pages/latency.tsx";
import { LocksPage } from "./pages/locks.tsx";
import { SessionView } from "./pages/session.tsx";
import { SessionsPage } from "./pages/sessions.tsx";
import { PastPage } from "./pages/past.tsx";
import { SearchPage } from "./pages/search.tsx";
import { TreePage } from "./pages/tree.tsx";
import { Problem } from "./parts/problem.tsx";
import { TokenForm } from "./parts/token-form.tsx";
import { hrefOf, type Route, route } from "./router.ts";
import { applyTheme, chooseTheme, type Theme, theme } from "./theme.ts";
import "./dashboard.css";

function App(): JSX.Element {
  return (
    <>
      <Header />
      <Body />
    </>
  );
}

function Body(): JSX.Element {
  if (asksForToken.value) {
    return (
      <main>
        <TokenForm />
      </main>
    );
  }
  if (access.value === undefined) {
    return (
      <main>
        <h1>zooid</h1>
        {accessProblem.value === undefined && <p>Asking the node …</p>}
        <Problem text={accessProblem.value} />
      </main>
    );
  }
  const shown = route.value;
  switch (shown.page) {
    case "tree":
      return <TreePage path={shown.path} />;
    case "elections":
      return <ElectionsPage />;
    case "locks":
      return <LocksPage path={shown.path} />;
    case "sessions":
      return shown.id === undefined ? (
        <SessionsPage />
      ) : (
        <SessionView key={shown.id} id={shown.id} />
      );
    case "latency":
      return <LatencyPage />;
    case "ensemble":
      return <EnsemblePage />;
    case "history":
      return <HistoryPage key={hrefOf(shown)} path={shown.path} isBelow={shown.below === "true"} />;
    case "past":
      return <PastPage path={shown.path} zxid={shown.zxid} />;
    case "diff":
      return <DiffPage key={hrefOf(shown)} {...shown} />;
    case "search":
      return <SearchPage key={hrefOf(shown)} {...shown} />;
  }
}

/** Each is there if the API has the endpoint that it shows. */
const PAGES: readonly {
  readonly name: string;
  readonly to: Route;
  readonly endpoint: string;
}[] = [
  { name: "Ensemble", to: { page: "ensemble" }, endpoint: "status" },
  { name: "Elections", to: { page: "elections" }, endpoint: "elections" },
  { name: "Latency", to: { page: "latency" }, endpoint: "latencies" },
  { name: "Tree", to: { page: "tree", path: "/" }, endpoint: "children" },
  { name: "Sessions", to: { page: "sessions" }, endpoint: "sessions" },
  { name: "Locks", to: { page: "locks", path: "/" }, endpoint: "children" },
  { name: "Past", to: { page: "past", path: "/" }, endpoint: "span" },
  { name: "Search", to: { page: "search", path: "/" }, endpoint: "find" },
];

const PAST_PAGES: ReadonlySet<string> = new Set(["history", "past", "diff"]);

function Header(): JSX.Element {
  const { page } = route.value;
  const main = PAST_PAGES.has(page) ? "past" : page;
  const current = (name: string): { readonly "aria-current"?: "page" } =>
    name === main ? { "aria-current": "page" } : {};
  return (
    <header>
      <span class="brand">zooid</span>
      <nav aria-label="Pages">
        {PAGES.filter(({ endpoint }) => offers(endpoint)).map(({ name, to }) => (
          <a key={name} href={hrefOf(to)} {...current(to.page)}>
            {name}
          </a>
        ))}
      </nav>
      {access.value !== undefined && (
        <span class="quiet">
          {access.value.at}, {access.value.mayWrite ? "may write" : "read-only"}
        </span>
      )}
      {token.value !== "" && !asksForToken.value && (
        <button type="button" onClick={forgetToken}>
          Forget token
        </button>
      )}
      <label class="theme">
        Colours
        <select
          value={theme.value}
          onChange={(event) => chooseTheme(event.currentTarget.value as Theme)}
        >
          <option value="system">as the system</option>
          <option value="light">light</option>
          <option value="dark">dark</option>
        </select>
      </label>
    </header>
  );
}

applyTheme();
effect(() => {
  // Again with each token that is given.
  if (!asksForToken.value) void askAccess();
});
const root = document.querySelector("#app");
if (root !== null) render(<App />, root);
