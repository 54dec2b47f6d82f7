/** What a profile is, and what it is given. */
import type { BenchOptions } from "../options.ts";
import type { Measurement } from "../report/measurement.ts";
import type { Screen } from "../screen.ts";
import type { Target } from "../targets/target.ts";

export type ProfileContext = {
  readonly options: BenchOptions;
  /** The targets that are up. Empty if the profile starts what it needs by itself. */
  readonly targets: readonly Target[];
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly record: (measurement: Measurement) => void;
};

export type Profile = {
  readonly summary: string;
  /** `targets`: it is run with all targets up. `own`: it starts what it needs. */
  readonly needs: "targets" | "own";
  readonly run: (context: ProfileContext) => Promise<void>;
};
