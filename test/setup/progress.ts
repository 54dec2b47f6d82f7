/** How far a run of the tests is: which files are done, and which are running for how long. */

/** The environment variable with the file that `announce.ts` appends to. */
export const ANNOUNCEMENTS = "ZOOID_TEST_ANNOUNCEMENTS";

const LINE = /^(begins|ends) (\d+) (.+)$/;
const RUNNING_SHOWN_MAX = 6;

export function announcement(
  what: "begins" | "ends",
  file: string,
  atMs: number = Date.now(),
): string {
  return `${what} ${Math.round(atMs)} ${file}\n`;
}

/** `text`: what was announced so far; a line may still be cut short. `files`: how many there are in all. */
export function progressText(text: string, files: number, nowMs: number): string {
  const running = new Map<string, number>();
  let done = 0;
  for (const line of text.split("\n").slice(0, -1)) {
    const [, what, atMs, file] = LINE.exec(line) ?? [];
    if (file === undefined) continue;
    if (what === "begins") running.set(file, Number(atMs));
    else if (running.delete(file)) done += 1;
  }
  const oldest = [...running].toSorted(([, a], [, b]) => a - b);
  const shown = oldest
    .slice(0, RUNNING_SHOWN_MAX)
    .map(([file, atMs]) => `${file} (${Math.max(0, Math.round((nowMs - atMs) / 1000))} s)`);
  if (oldest.length > shown.length) shown.push(`${oldest.length - shown.length} more`);
  const what = shown.length === 0 ? "" : `; running: ${shown.join(", ")}`;
  return `${done} of ${files} files done${what}`;
}
