/** The reaper: it looks while its node leads, in bounded parts, and proposes what the tree has found. */
import test from "ava";
import {
  reaperActor,
  type ReaperEffect,
  type ReaperOptions,
  type ReaperState,
} from "../../actors/reaper/reaper.ts";
import type { ReaperMessage } from "../../actors/reaper/messages.ts";
import { decodeBatch } from "../../protocol/batch.ts";
import type { Leadership } from "../../protocol/replication.ts";
import { DrivenActor } from "../../runtime/testing/driven.ts";
import { leading, looking } from "../support/leadership.ts";
import { messagesTo } from "../support/snapshots.ts";

type Reaper = DrivenActor<ReaperState, ReaperMessage, ReaperEffect>;
const LOOK: ReaperMessage = { kind: "timer", timer: "look" };

function reaper(options: ReaperOptions = {}): Reaper {
  return new DrivenActor(reaperActor(options));
}

function timers(effects: readonly ReaperEffect[]): readonly object[] {
  return effects.filter(({ kind }) => kind === "startTimer" || kind === "stopTimer");
}

function due(question: number, paths: readonly string[], isAll = true): ReaperMessage {
  return { kind: "due", question, paths, isAll };
}

function startTimer(afterMs: number): object {
  return { kind: "startTimer", timer: "look", afterMs };
}

test("a leader's reaper asks its tree after the interval, and proposes what it is told", (t) => {
  const actor = reaper({ checkIntervalMs: 700, unusedMs: 9 });
  t.deepEqual(timers(actor.receive(leading())), [startTimer(700)]);
  t.deepEqual(messagesTo(actor.receive(LOOK), "tree/1"), [
    { kind: "listDue", question: 1, begins: true, pathsMax: 100, unusedMs: 9 },
  ]);
  const effects = actor.receive(due(1, ["/a", "/b"]));
  const [proposed] = messagesTo(effects, "log-sync") as { payload: Uint8Array; count: number }[];
  t.is(proposed?.count, 2);
  t.deepEqual(decodeBatch(proposed?.payload ?? new Uint8Array()), [
    { kind: "deleteContainer", path: "/a", unusedMs: 9 },
    { kind: "deleteContainer", path: "/b", unusedMs: 9 },
  ]);
  t.deepEqual(timers(effects), [startTimer(700)]);
});

test("where nothing is over nothing is proposed", (t) => {
  const actor = reaper();
  actor.receive(leading());
  actor.receive(LOOK);
  t.deepEqual(actor.receive(due(1, [])), [startTimer(60_000)] as never);
});

test("what the tree has not looked at yet follows, after a pause for what was reaped", (t) => {
  const actor = reaper({ perMinuteMax: 600 });
  actor.receive(leading());
  t.like(messagesTo(actor.receive(LOOK), "tree/1")[0], { begins: true, pathsMax: 10 });
  t.deepEqual(timers(actor.receive(due(1, ["/a", "/b"], false))), [startTimer(200)]);
  t.like(messagesTo(actor.receive(LOOK), "tree/1")[0], { begins: false, question: 2 });
  t.deepEqual(timers(actor.receive(due(2, [], false))), [startTimer(0)]);
  actor.receive(LOOK);
  t.deepEqual(timers(actor.receive(due(3, []))), [startTimer(60_000)]);
  t.like(messagesTo(actor.receive(LOOK), "tree/1")[0], { begins: true });
});

test("a node that does not lead, or cannot log, proposes nothing, whatever it had asked", (t) => {
  for (const after of [looking(), leading({ admission: "none" })] as const) {
    const actor = reaper();
    const ends = [
      { kind: "stopTimer", timer: "look" },
      { kind: "tell", to: "tree/1", message: { kind: "endReapWalk" } },
    ];
    t.deepEqual(actor.receive(after), ends as never, "what it asked before it was restarted");
    t.deepEqual(actor.receive(after), []);
    actor.receive(leading());
    actor.receive(LOOK);
    t.deepEqual(actor.receive(after), ends as never);
    t.deepEqual(actor.receive(due(1, ["/a"])), []);
    t.deepEqual(actor.receive(LOOK), []);
    actor.receive(leading());
    t.deepEqual(actor.receive(due(1, ["/a"])), [], "that was asked as an earlier leader");
  }
});

test("a word on leadership that changes nothing leaves the timer alone", (t) => {
  const actor = reaper();
  actor.receive(leading());
  t.deepEqual(actor.receive(leading({ admission: "noGrowth" }) satisfies Leadership), []);
});
