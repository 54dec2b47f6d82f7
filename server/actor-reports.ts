/** What each actor of a node does, in reports: loaded where they are asked for, since they bring much of RxJS along. */
import type { Observable, SchedulerLike } from "rxjs";
import { asyncScheduler } from "rxjs/internal/scheduler/async";
import { groupBy } from "rxjs/internal/operators/groupBy";
import { mergeMap } from "rxjs/internal/operators/mergeMap";
import { reduce } from "rxjs/internal/operators/reduce";
import { windowTime } from "rxjs/internal/operators/windowTime";
import type { ActorReport } from "../actors/admin/messages.ts";
import type { StepEvent } from "../runtime/inspection.ts";

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
