/** The slider over virtual time, and what moves it. */
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { milliseconds } from "./format.ts";
import { atMs, goTo, isPlaying, type Shown, speed, timeline } from "./state.ts";

const SPEEDS: readonly (readonly [msPerSecond: number, text: string])[] = [
  [1, "1 ms a second"],
  [5, "5 ms a second"],
  [20, "20 ms a second"],
  [100, "100 ms a second"],
  [1000, "as in real time"],
];
/** Who wants no motion is shown one event after the other instead. */
const EVENT_EVERY_MS = 700;
const STILL: MediaQueryList = matchMedia("(prefers-reduced-motion: reduce)");

export function TimeBar({ result }: { readonly result: Shown }): JSX.Element {
  const { endMs, faultsEndMs } = result.recording;
  const at = atMs.value;
  const list = timeline.value;
  const last = list?.around(at, { before: 1, after: 0 }).entries[0];
  usePlaying(endMs);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowRight") goTo(list?.next(at));
    else if (event.key === "ArrowLeft") goTo(list?.previous(at));
    else if (event.key === " ") togglePlaying(endMs);
    else return;
    event.preventDefault();
  };
  return (
    <div class="time">
      <label>
        Virtual time: <output>{milliseconds(at)}</output> of {milliseconds(endMs)}
        {faultsEndMs !== undefined && <> (faults until {milliseconds(faultsEndMs)})</>}
        <input
          type="range"
          min="0"
          max={endMs}
          step="any"
          value={at}
          aria-valuetext={`${milliseconds(at)}${last === undefined ? "" : `: ${last.who} ${last.text}`}`}
          onInput={(event) => {
            isPlaying.value = false;
            goTo(Number(event.currentTarget.value));
          }}
          onKeyDown={onKeyDown}
        />
      </label>
      <p class="buttons">
        <button type="button" onClick={() => goTo(list?.previous(at))}>
          ◂ Event before
        </button>
        <button type="button" onClick={() => togglePlaying(endMs)}>
          {isPlaying.value ? "Pause" : "Play"}
        </button>
        <button type="button" onClick={() => goTo(list?.next(at))}>
          Next event ▸
        </button>
        <label>
          Speed
          <select
            value={speed.value}
            onChange={(event) => {
              speed.value = Number(event.currentTarget.value);
            }}
          >
            {SPEEDS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <span class="hint">On the slider: ← → from event to event, Space plays.</span>
      </p>
    </div>
  );
}

function togglePlaying(endMs: number): void {
  if (!isPlaying.value && atMs.value >= endMs) goTo(0);
  isPlaying.value = !isPlaying.value;
}

function usePlaying(endMs: number): void {
  const plays = isPlaying.value;
  useEffect(() => {
    if (!plays) return undefined;
    let pending = 0;
    let beforeMs = performance.now();
    const move = (nowMs: number): void => {
      const passedMs = nowMs - beforeMs;
      if (STILL.matches) {
        if (passedMs >= EVENT_EVERY_MS) {
          goTo(timeline.value?.next(atMs.value) ?? endMs);
          beforeMs = nowMs;
        }
      } else {
        // A page that was hidden goes on where it was.
        goTo(atMs.value + (Math.min(passedMs, 100) * speed.value) / 1000);
        beforeMs = nowMs;
      }
      if (atMs.value >= endMs) isPlaying.value = false;
      else pending = requestAnimationFrame(move);
    };
    pending = requestAnimationFrame(move);
    return () => cancelAnimationFrame(pending);
  }, [plays, endMs]);
}
