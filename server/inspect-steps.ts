/** Every step of every actor of a node as one stream. */
import type { Observable } from "rxjs";
import { merge } from "rxjs/internal/observable/merge";
import { share } from "rxjs/internal/operators/share";
import type { StepEvent } from "../runtime/inspection.ts";

type Threads = readonly { readonly steps$: Observable<StepEvent> }[];

/** The threads look at their steps while somebody subscribes. */
export function stepsOf(threads: Threads): Observable<StepEvent> {
  return merge(...threads.map(({ steps$ }) => steps$)).pipe(share());
}
