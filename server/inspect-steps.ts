/** Every step of every actor of a node as one stream, and what operators read from it. */
import type { Observable, SchedulerLike } from "rxjs";
import { asyncScheduler } from "rxjs/internal/scheduler/async";
import { groupBy } from "rxjs/internal/operators/groupBy";
import { merge } from "rxjs/internal/observable/merge";
import { mergeMap } from "rxjs/internal/operators/mergeMap";
import { reduce } from "rxjs/internal/operators/reduce";
import { share } from "rxjs/internal/operators/share";
import { windowTime } from "rxjs/internal/operators/windowTime";
import type { ActorReport } from "../actors/admin/messages.ts";
import type { StepEvent } from "../runtime/inspection.ts";

type Threads = readonly { readonly steps$: Observable<StepEvent> }[];

/** The threads look at their steps while somebody subscribes. */
export function stepsOf(threads: Threads): Observable<StepEvent> {
  return merge(...threads.map(({ steps$ }) => steps$)).pipe(share());
}

/** What each actor that has worked has done since its report before: one report of each every `everyMs` milliseconds of the scheduler. */
export function actorReports(
  steps$: Observable<StepEvent>,
  everyMs: number,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<ActorReport> {
  return steps$.pipe(
    groupBy(({ actor }) => actor),
    mergeMap((ofActor) =>
      ofActor.pipe(
        windowTime(everyMs, scheduler),
        mergeMap((window) => window.pipe(reduce(added, idle(ofActor.key)))),
      ),
    ),
  );
}

function idle(actor: string): ActorReport {
  return { kind: "actorReport", actor, steps: 0, busyMs: 0, slowestUs: 0, queuedMax: 0 };
}

function added(report: ActorReport, { tookUs, queued }: StepEvent): ActorReport {
  return {
    ...report,
    steps: report.steps + 1,
    busyMs: report.busyMs + tookUs / 1000,
    slowestUs: Math.max(report.slowestUs, tookUs),
    queuedMax: Math.max(report.queuedMax, queued),
  };
}
