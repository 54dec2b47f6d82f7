/** What `zooid doctor` has found out about one thing. */

export type Status = "ok" | "warn" | "bad";

export type Finding = {
  /** What was looked at: a stable name, for programs. */
  readonly check: string;
  readonly status: Status;
  readonly measured: string;
  /** What it should be. */
  readonly limit: string;
  /** What to change; undefined where nothing is. */
  readonly advice?: string | undefined;
};

/** From the best to the worst. */
export const STATUSES: readonly Status[] = ["ok", "warn", "bad"];

/** The exit code is its place: 0, 1, 2. */
export function severityOf(findings: readonly Finding[]): number {
  return Math.max(0, ...findings.map(({ status }) => STATUSES.indexOf(status)));
}

export type Limits = {
  /** From here on it is a warning. */
  readonly warnAt: number;
  readonly badAt: number;
};

/** How good a number is that should be small. */
export function byLimits(value: number, { warnAt, badAt }: Limits): Status {
  if (value >= badAt) return "bad";
  return value >= warnAt ? "warn" : "ok";
}

/** The value below which so many of a hundred are. The list is not empty. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100));
  return sorted[at] ?? Number.NaN;
}

/** `p50 0.3 ms, p99 1.2 ms of 200`. */
export function timesText(timesMs: readonly number[]): string {
  const of = (percent: number): string => `${percentile(timesMs, percent).toFixed(2)} ms`;
  return `p50 ${of(50)}, p99 ${of(99)} of ${timesMs.length}`;
}

export function lineOf({ check, status, measured, limit, advice }: Finding): readonly string[] {
  const line = `${status.padEnd(4)}  ${check}: ${measured} (should be: ${limit})`;
  return advice === undefined ? [line] : [line, `      → ${advice}`];
}
