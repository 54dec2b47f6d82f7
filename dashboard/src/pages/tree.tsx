/** The tree on the left, and on the right the znode that is chosen. */
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { onChanges } from "../live.ts";
import { GoTo } from "../parts/go-to.tsx";
import { LiveBar } from "../parts/live-bar.tsx";
import { TreeList } from "../parts/tree-list.tsx";
import { go } from "../router.ts";
import { liveTree } from "../tree-model.ts";
import { ZnodeView } from "./znode.tsx";

export function TreePage({ path }: { readonly path: string }): JSX.Element {
  useEffect(() => {
    void liveTree.openTo(path);
  }, [path]);
  useEffect(() => onChanges((summary) => void liveTree.refresh(summary)), []);
  return (
    <main class="split">
      <div class="side">
        <GoTo path={path} onGo={show} />
        <LiveBar />
        <TreeList model={liveTree} selected={path} onChoose={show} />
      </div>
      <ZnodeView key={path} path={path} />
    </main>
  );
}

function show(path: string): void {
  go({ page: "tree", path });
}
