/** What the two ends of a lane's port say to each other. */
import type { InspectionEvent, StepEvent } from "../inspection.ts";
import type { Letter } from "../system.ts";

export type ToLane =
  | { readonly kind: "letters"; readonly letters: readonly Letter[] }
  /** From now on the lane's steps are wanted, or not any more. */
  | { readonly kind: "observeSteps"; readonly wanted: boolean }
  /** The lane answers as soon as its thread is free. */
  | { readonly kind: "areYouThere" }
  | { readonly kind: "stop" };

export type FromLane =
  | { readonly kind: "letters"; readonly letters: readonly Letter[] }
  | { readonly kind: "ready"; readonly detail: Readonly<Record<string, number>> }
  | { readonly kind: "hereIAm" }
  | { readonly kind: "inspection"; readonly event: InspectionEvent }
  | { readonly kind: "steps"; readonly steps: readonly StepEvent[] }
  | { readonly kind: "stopNode"; readonly reason: string };
