/** The tree on the left, and on the right the znode that is chosen. */
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { onChanges } from "../live.ts";
import { LiveBar } from "../parts/live-bar.tsx";
import { PathForm } from "../parts/path-form.tsx";
import { TreeList } from "../parts/tree-list.tsx";
import { go } from "../router.ts";
import { openTo, refresh } from "../tree-model.ts";
import { ZnodeView } from "./znode.tsx";

export function TreePage({ path }: { readonly path: string }): JSX.Element {
  useEffect(() => {
    void openTo(path);
  }, [path]);
  useEffect(() => onChanges((summary) => void refresh(summary)), []);
  return (
    <main class="split">
      <div class="side">
        <PathForm
          path={path}
          submit="Open"
          onPath={(wanted) => go({ page: "tree", path: wanted })}
        />
        <LiveBar />
        <TreeList selected={path} />
      </div>
      <ZnodeView key={path} path={path} />
    </main>
  );
}
