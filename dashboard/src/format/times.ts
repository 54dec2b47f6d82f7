/** Moments, as people read them. */
import { duration } from "./numbers.ts";

/** `2026-11-29 23:10:01, 2 h ago`, by the clock of whoever looks. */
export function momentText(time: string): string {
  const at = new Date(time);
  const ago = duration(Math.max(Date.now() - at.getTime(), 0));
  return `${at.toLocaleString("sv")}, ${ago} ago`;
}
