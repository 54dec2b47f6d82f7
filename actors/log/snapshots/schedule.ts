/**
 * When a snapshot is cut. A tree that has not replayed the log yet has none to give, so what is refused is asked for again: else
 * a node that is restarted often, each time with more in its log than calls for a snapshot, would never cut one.
 */
import { tell } from "../../inboxes.ts";
import { type LogState, notCutting } from "../state.ts";

/** A refused snapshot costs a chunk each time. */
const AGAIN_MS_MAX = 8000;

/** Asks the tree for a snapshot when enough has been logged since the last one. Nodes draw, so that they differ. */
export function askForSnapshot(state: LogState, random: () => number): void {
  const { snapshotEveryBytes } = state.settings;
  const { cutting } = state;
  const draw = (): number => snapshotEveryBytes + Math.floor((random() * snapshotEveryBytes) / 2);
  cutting.atBytes ??= draw();
  const askAtBytes = cutting.againAtBytes ?? cutting.atBytes;
  if (state.loggedBytes < askAtBytes || state.cut !== undefined) return;
  cutting.againAtBytes = state.loggedBytes + draw();
  state.outbox.push(tell("tree/1", { kind: "cutSnapshot" }));
}

export function noteRefusal({ cutting, cut, outbox }: LogState): void {
  if (cutting.againAtBytes === undefined || cut !== undefined) return;
  outbox.push({ kind: "startTimer", timer: "askAgain", afterMs: cutting.againMs });
  cutting.againMs = Math.min(AGAIN_MS_MAX, 2 * cutting.againMs);
}

/** The timer has fired: a snapshot is asked for if it is still due. */
export function askAgain({ cutting }: LogState): void {
  cutting.againAtBytes = undefined;
}

/** There is a new one. The next is due when enough has been logged after it. */
export function noteSnapshot(state: LogState, loggedBytes: number): void {
  state.cut = undefined;
  state.loggedBytes = loggedBytes;
  state.cutting = notCutting();
}
