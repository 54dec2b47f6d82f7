/** The tree on the left, and on the right the znode that is chosen. */
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { counted } from "../format/numbers.ts";
import { isPaused, liveState, missed, onChanges, setPaused } from "../live.ts";
import { GoTo } from "../parts/go-to.tsx";
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

const STATES = {
  off: "not live",
  connecting: "connecting …",
  live: "live",
  lost: "connection lost, trying again",
} as const;

function LiveBar(): JSX.Element {
  const state = isPaused.value ? "paused" : STATES[liveState.value];
  return (
    <div class="live">
      <span role="status">
        <span class={`light ${isPaused.value ? "paused" : liveState.value}`} aria-hidden="true" />{" "}
        {state}
        {isPaused.value && `, ${counted(missed.value, "change")} since`}
      </span>
      <button type="button" onClick={() => setPaused(!isPaused.value)}>
        {isPaused.value ? "Go on" : "Pause"}
      </button>
    </div>
  );
}
