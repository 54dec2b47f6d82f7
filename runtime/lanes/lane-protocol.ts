/** What the two ends of a lane's port say to each other. */
import type { InspectionEvent } from "../inspection.ts";
import type { Letter } from "../system.ts";

export type ToLane =
  | { readonly kind: "letters"; readonly letters: readonly Letter[] }
  | { readonly kind: "stop" };

export type FromLane =
  | { readonly kind: "letters"; readonly letters: readonly Letter[] }
  | { readonly kind: "ready"; readonly detail: Readonly<Record<string, number>> }
  | { readonly kind: "inspection"; readonly event: InspectionEvent }
  | { readonly kind: "stopNode"; readonly reason: string };
