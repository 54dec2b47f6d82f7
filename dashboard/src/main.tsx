/** The dashboard: the frame around its pages. */
import { effect } from "@preact/signals";
import { type JSX, render } from "preact";
import { access, accessProblem, askAccess } from "./access.ts";
import { asksForToken, forgetToken, token } from "./api.ts";
import { DiffPage } from "./pages/diff.tsx";
import { EnsemblePage } from "./pages/ensemble.tsx";
import { HistoryPage } from "./pages/history.tsx";
import { PastPage } from "./pages/past.tsx";
import { SearchPage } from "./pages/search.tsx";
import { TreePage } from "./pages/tree.tsx";
import { Problem } from "./parts/problem.tsx";
import { TokenForm } from "./parts/token-form.tsx";
import { hrefOf, route } from "./router.ts";
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
    case "ensemble":
      return <EnsemblePage />;
    case "tree":
      return <TreePage path={shown.path} />;
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
        <a href={hrefOf({ page: "ensemble" })} {...current("ensemble")}>
          Ensemble
        </a>
        <a href={hrefOf({ page: "tree", path: "/" })} {...current("tree")}>
          Tree
        </a>
        <a href={hrefOf({ page: "past", path: "/" })} {...current("past")}>
          Past
        </a>
        <a href={hrefOf({ page: "search", path: "/" })} {...current("search")}>
          Search
        </a>
      </nav>
      {access.value !== undefined && (
        <span class="quiet">
          node {access.value.node}, {access.value.mayWrite ? "may write" : "read-only"}
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
