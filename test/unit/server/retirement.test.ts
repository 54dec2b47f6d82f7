/** A node that goes out of service, without the node: what it asks for, and when. */
import test from "ava";
import { Subject } from "rxjs";
import type { HandoverEnded } from "../../../actors/log-sync/handover/messages.ts";
import type { ActorSystem } from "../../../runtime/system.ts";
import { Retirement } from "../../../server/retirement.ts";
import { server } from "../../support/plain-calls.ts";
import { settled } from "../../support/until.ts";

type Told = { readonly kind: string; readonly request?: number; readonly to?: number };

class FakeSystem {
  readonly handover = new Subject<HandoverEnded>();
  readonly clientsGone = new Subject<object>();
  readonly told: Told[] = [];

  observe(_actor: string, topic: "handover" | "clientsGone"): object {
    return this[topic];
  }

  tell(_to: string, message: Told): void {
    this.told.push(message);
  }

  /** The last handover that was asked for ends. */
  end(outcome: HandoverEnded["outcome"]): void {
    const request = this.told.findLast(({ kind }) => kind === "handOver")?.request ?? 0;
    this.handover.next({ kind: "handoverEnded", request, outcome });
  }

  kinds(): readonly string[] {
    return this.told.map(({ kind }) => kind);
  }
}

function retirementOf(system: FakeSystem): Retirement {
  return new Retirement(system as unknown as ActorSystem, 1);
}

const NO = { kind: "failed", reason: "nobody takes over", leader: undefined } as const;

test("a handover whose node stops has failed, and so has each that is asked for later", async (t) => {
  const system = new FakeSystem();
  const retirement = retirementOf(system);
  const pending = retirement.transferLeadership(server(2));
  system.handover.complete();
  t.like(await pending, { kind: "failed", reason: "the node stops" });
  t.like(await retirement.transferLeadership(undefined), { kind: "failed" });
  t.deepEqual(system.kinds(), ["handOver"]);
});

test("a node that stops over an operator's handover hands over when that one has failed", async (t) => {
  const system = new FakeSystem();
  const retirement = retirementOf(system);
  const pending = retirement.transferLeadership(server(2));
  const retired = retirement.retire();
  await settled();
  t.deepEqual(system.kinds(), ["handOver", "retire"], "a second handover would be refused");
  system.end(NO);
  t.deepEqual(await pending, NO);
  await settled();
  t.deepEqual(system.kinds(), ["handOver", "retire", "handOver"]);
  system.end({ kind: "done", from: server(1), to: server(3), tookMs: 20, pausedMs: 10 });
  await settled();
  t.deepEqual(system.kinds().slice(3), ["retire", "retire"], "then its clients leave");
  system.clientsGone.next({ kind: "allClientsGone" });
  await retired;
});

test("a node that stops by itself is not waited for", async (t) => {
  const system = new FakeSystem();
  const retired = retirementOf(system).retire();
  for (const topic of ["handover", "clientsGone"] as const) system[topic].complete();
  await t.notThrowsAsync(retired);
});
