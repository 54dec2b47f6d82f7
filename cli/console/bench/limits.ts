/** What `zooid bench` may be asked for. It works on ensembles that others use. */

export const WORK_NAMES: readonly string[] = ["create", "set", "get", "mixed"];

export const BENCH_LIMITS = {
  seconds: 60,
  connections: 64,
  outstanding: 1000,
  valueBytes: 1_000_000,
  /** Milliseconds for deleting what was made, after Ctrl-C. */
  endingMs: 30_000,
} as const;

/** What create makes before it ends early: all of it has to be deleted. */
export const CREATED_MAX = 50_000;

/** How many znodes the other works read and set, at most: one for each operation in flight, so that versions are not contended. */
export const VALUES_MAX = 1000;

/** The bytes of all those values together, at most. */
export const VALUES_BYTES_MAX: number = 16 * 1024 * 1024;

/** Failures after which a work ends: what fails this often does not get better. */
export const FAILURES_MAX = 100;
