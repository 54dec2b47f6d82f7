/** A disk that the thread waits for behind the turn of the loop that wrote. */
import test from "ava";
import type { DiskOutcome } from "../../../runtime/disk.ts";
import { DiskBehindTurn } from "../../../runtime/disks/port.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { VirtualClock } from "../../../runtime/testing/virtual-clock.ts";

const WRITE = { kind: "write", file: "a", position: 0, buffers: [new Uint8Array([7])] } as const;

test("nothing is written before the turn is over, and all that was asked for is done in order", (t) => {
  const clock = new VirtualClock();
  const disk = new MemoryDisk();
  const port = new DiskBehindTurn(disk, clock);
  const outcomes: DiskOutcome[] = [];
  clock.soon(() => {
    port.perform(1, [WRITE, { kind: "sync", file: "a" }], (outcome) => outcomes.push(outcome));
    port.perform(2, [{ kind: "read", file: "b", position: 0, length: 1 }], (outcome) =>
      outcomes.push(outcome),
    );
    t.is(disk.content("a"), undefined);
    t.deepEqual(outcomes, []);
  });
  clock.advance(1);
  t.deepEqual(disk.content("a"), new Uint8Array([7]));
  t.like(outcomes, [
    { kind: "diskDone", tag: 1 },
    { kind: "diskFailed", tag: 2, failedAt: 0, operation: "read", code: "ENOENT" },
  ]);
  t.is(outcomes.length, 2);
});

test("once it is closed nothing is written any more, for the folder may be another process's", (t) => {
  const clock = new VirtualClock();
  const disk = new MemoryDisk();
  const port = new DiskBehindTurn(disk, clock);
  port.perform(1, [WRITE], () => t.fail("nobody waits any more"));
  port.close();
  clock.advance(1);
  t.is(disk.content("a"), undefined);
});

test("how long the thread waited is told with the outcome", (t) => {
  let nowMs = 0;
  const clock = new VirtualClock();
  const slow = { perform: () => ({ kind: "ok", at: (nowMs += 700) }) as const, close: () => {} };
  const port = new DiskBehindTurn(slow, {
    ...{ nowMs: () => nowMs, wallMs: () => nowMs },
    ...{ after: (ms, run) => clock.after(ms, run), soon: (run) => clock.soon(run) },
  });
  const waits: number[] = [];
  port.perform(1, [WRITE], (_, heldUpMs) => waits.push(heldUpMs));
  clock.advance(1);
  t.deepEqual(waits, [700]);
});
