/** How failures of a run of the tests are shown: each as it comes, and all of them again at the end. */

/** How many lines of one failure are shown: a difference of two long texts must not bury the other failures. */
const DETAIL_LINES_MAX = 80;
/** How many failures are shown again at the end, where who has only the end of a long output finds them. */
const FAILURES_AGAIN_MAX = 10;

export function failureText(title: string, details: readonly string[]): string {
  const shown = details.slice(0, DETAIL_LINES_MAX);
  const left = details.length - shown.length;
  if (left > 0) shown.push(`    … and ${left} more lines`);
  return [`✗ ${title}`, ...shown, ""].join("\n");
}

/** `failures`: their texts. Empty when there are none. */
export function againText(failures: readonly string[]): string {
  if (failures.length === 0) return "";
  const shown = failures.slice(0, FAILURES_AGAIN_MAX);
  const left = failures.length - shown.length;
  return [
    "── what failed, again",
    ...shown,
    ...(left > 0 ? [`… and ${left} more failures`] : []),
  ].join("\n");
}
