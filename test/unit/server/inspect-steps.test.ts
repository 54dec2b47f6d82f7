/** What operators read from the steps of actors. */
import test from "ava";
import { Observable, Subject, VirtualTimeScheduler } from "rxjs";
import type { ActorReport } from "../../../actors/admin/messages.ts";
import type { StepEvent } from "../../../runtime/inspection.ts";
import { actorReports } from "../../../server/actor-reports.ts";
import { stepsOf } from "../../../server/inspect-steps.ts";
import { server } from "../../support/plain-calls.ts";

function step(actor: string, tookUs: number, queued = 0): StepEvent {
  return {
    kind: "step",
    atMs: 0,
    node: server(1),
    actor,
    message: "m",
    effects: {},
    queued,
    tookUs,
  };
}

test("each actor that has worked is reported every so often: what it did, and then that it was idle", (t) => {
  const scheduler = new VirtualTimeScheduler(undefined, 250);
  const steps = new Subject<StepEvent>();
  const reports: ActorReport[] = [];
  actorReports(steps, 100, scheduler).subscribe((report) => reports.push(report));
  steps.next(step("log", 400, 2));
  steps.next(step("log", 1_600, 5));
  steps.next(step("tree/1", 100));
  scheduler.flush();
  const kind = "actorReport";
  const idle = { steps: 0, busyMs: 0, slowestUs: 0, queuedMax: 0 };
  t.deepEqual(reports, [
    { kind, actor: "log", steps: 2, busyMs: 2, slowestUs: 1_600, queuedMax: 5 },
    { kind, actor: "tree/1", steps: 1, busyMs: 0.1, slowestUs: 100, queuedMax: 0 },
    { kind, actor: "log", ...idle },
    { kind, actor: "tree/1", ...idle },
  ]);
});

test("threads look at their steps from the first subscriber on until the last has gone", (t) => {
  const log: string[] = [];
  const thread = (name: string): { readonly steps$: Observable<StepEvent> } => ({
    steps$: new Observable((subscriber) => {
      log.push(`${name} looks`);
      subscriber.next(step(name, 1));
      return () => log.push(`${name} rests`);
    }),
  });
  const steps$ = stepsOf([thread("main"), thread("lane")]);
  t.deepEqual(log, []);
  const subscriptions = [steps$.subscribe(), steps$.subscribe()];
  t.deepEqual(log, ["main looks", "lane looks"]);
  for (const subscription of subscriptions) subscription.unsubscribe();
  t.deepEqual(log.slice(2).toSorted(), ["lane rests", "main rests"]);
});
