/** A node whose actors are all on one thread, while it starts. */
import { mock } from "node:test";
import test from "ava";
import { ConnectionCounts } from "../../../runtime/connections/connection-counts.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { validate } from "../../../server/config/validate.ts";
import { LaneClients, type LaneSurroundings } from "../../../server/threads/lane-clients.ts";
import { OneThread } from "../../../server/threads/one-thread.ts";

test.serial(
  "a word that comes over NATS before there are actors is lost, and nothing else",
  async (t) => {
    const validation = validate(new Map(), { transport: "memory" });
    if (validation.kind === "invalid") throw new Error("it is not valid");
    const threads = new OneThread({
      config: { ...validation.config, lanes: 0 },
      inMemory: { disk: new MemoryDisk() },
      meter: undefined,
      onLetters: () => undefined,
      onInspection: () => undefined,
      onStopNode: () => undefined,
      signal: new AbortController().signal,
    });
    const { promise, resolve } = Promise.withResolvers<LaneSurroundings>();
    const prepare = mock.method(LaneClients, "prepare", (_: unknown, given: LaneSurroundings) => {
      resolve(given);
      return Promise.resolve(undefined);
    });
    t.teardown(() => prepare.mock.restore());
    const counts = ConnectionCounts.share({ connectionsMax: 10, perAddressMax: 0 });
    await threads.startLanes({ counts, nats: true, ownDoor: undefined, skips: [] });
    const { hear } = await promise;
    t.notThrows(() => hear("nats/1", { kind: "clientMessage" }));
  },
);
