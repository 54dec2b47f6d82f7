/**
 * When a snapshot is cut. A tree that has not replayed the log yet cannot give one that the log would take, so after a refusal the tree is
 * asked again. Otherwise a node that is restarted often, each time with enough in its log for a snapshot, would never cut one.
 */
import { tell } from "../../inboxes.ts";
import { type LogState, notCutting } from "../state.ts";

/** The longest time between a refusal and the next question. Each refused snapshot costs a chunk. */
const AGAIN_MS_MAX = 8000;

/** Asks the tree for a snapshot when enough was logged since the last one. The amount is random, so that nodes do not cut in step. */
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

/** A snapshot was refused: the tree is asked again after a time that doubles with each refusal. */
export function noteRefusal({ cutting, cut, outbox }: LogState): void {
  if (cutting.againAtBytes === undefined || cut !== undefined) return;
  outbox.push({ kind: "startTimer", timer: "askAgain", afterMs: cutting.againMs });
  cutting.againMs = Math.min(AGAIN_MS_MAX, 2 * cutting.againMs);
}

/** The time after a refusal is over. The tree is asked again if a snapshot is still due. */
export function askAgain({ cutting }: LogState): void {
  cutting.againAtBytes = undefined;
}

/** There is a new snapshot, after which `loggedBytes` were logged. The next one is due when enough was. */
export function noteSnapshot(state: LogState, loggedBytes: number): void {
  state.cut = undefined;
  state.loggedBytes = loggedBytes;
  state.cutting = notCutting();
}
