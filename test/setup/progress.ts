/** How far a run of the tests is: which files are done, and which are running for how long. */

/** The environment variable with the file that `announce.ts` appends to. */
export const ANNOUNCEMENTS = "ZOOID_TEST_ANNOUNCEMENTS";

const LINE = /^(begins|ends) (\d+) (.+)$/;
const RUNNING_SHOWN_MAX = 6;
const SLOW_MS = 5000;
const SLOWEST_SHOWN_MAX = 20;

export function announcement(
  what: "begins" | "ends",
  file: string,
  atMs: number = Date.now(),
): string {
  return `${what} ${Math.round(atMs)} ${file}\n`;
}

/** `text`: what was announced so far; a line may still be cut short. `files`: how many there are in all. */
export function progressText(text: string, files: number, nowMs: number): string {
  const { running, tookMs } = read(text);
  const oldest = [...running].toSorted(([, a], [, b]) => a - b);
  const shown = oldest
    .slice(0, RUNNING_SHOWN_MAX)
    .map(([file, atMs]) => `${file} (${Math.max(0, Math.round((nowMs - atMs) / 1000))} s)`);
  if (oldest.length > shown.length) shown.push(`${oldest.length - shown.length} more`);
  const what = shown.length === 0 ? "" : `; running: ${shown.join(", ")}`;
  return `${tookMs.size} of ${files} files done${what}`;
}

/** Which files took longest, of those that took seconds. Empty: none did. */
export function slowestText(text: string): string {
  const slowest = [...read(text).tookMs]
    .filter(([, ms]) => ms >= SLOW_MS)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SLOWEST_SHOWN_MAX);
  return slowest.map(([file, ms]) => `${file} (${Math.round(ms / 1000)} s)`).join(", ");
}

type Announced = {
  /** The files that run, and since when. */
  readonly running: ReadonlyMap<string, number>;
  /** Those that are done, and how long each took. */
  readonly tookMs: ReadonlyMap<string, number>;
};

function read(text: string): Announced {
  const running = new Map<string, number>();
  const tookMs = new Map<string, number>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [, what, atMs, file] = LINE.exec(line) ?? [];
    if (file === undefined) continue;
    const begunMs = running.get(file);
    if (what === "begins") running.set(file, Number(atMs));
    else if (begunMs !== undefined) {
      running.delete(file);
      tookMs.set(file, Number(atMs) - begunMs);
    }
  }
  return { running, tookMs };
}
