/** How a time of a log or of a snapshot is written. */

const TIME_MS_MAX = 8.64e15;

/** In ISO 8601. A leader's clock may have been set to what is no date, and then it is a number of milliseconds. */
export function timeText(timeMs: number): string {
  return timeMs <= TIME_MS_MAX ? new Date(timeMs).toISOString() : `${timeMs} ms`;
}
