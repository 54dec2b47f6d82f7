/** Whether changes are shown as they come, and the button that holds them up. */
import type { JSX } from "preact";
import { counted } from "../format/numbers.ts";
import { isPaused, liveState, missed, setPaused } from "../live.ts";

const STATES = {
  off: "not live",
  connecting: "connecting …",
  live: "live",
  lost: "connection lost, trying again",
} as const;

export function LiveBar(): JSX.Element {
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
