/** The tree on the left, and on the right the znode that is chosen. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { counted } from "../format/numbers.ts";
import { isPaused, liveState, missed, onChanges, setPaused } from "../live.ts";
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
        <GoTo path={path} />
        <LiveBar />
        <TreeList selected={path} />
      </div>
      <ZnodeView key={path} path={path} />
    </main>
  );
}

function GoTo({ path }: { readonly path: string }): JSX.Element {
  const [text, setText] = useState(path);
  useEffect(() => setText(path), [path]);
  return (
    <form
      class="go"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = text.trim().replace(/(.)\/+$/, "$1");
        go({ page: "tree", path: wanted.startsWith("/") ? wanted : `/${wanted}` });
      }}
    >
      <label>
        <span class="quiet">Path</span>
        <input
          value={text}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Open</button>
    </form>
  );
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
