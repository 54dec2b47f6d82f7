/** What the listener of a lane is made with. */
import { Server } from "node:net";
import { mock } from "node:test";
import test from "ava";
import { ConnectionCounts } from "../../../runtime/connections/connection-counts.ts";
import { validate } from "../../../server/config/validate.ts";
import { LaneClients } from "../../../server/threads/lane-clients.ts";

test.serial("the backlog of the configuration is that of the port", async (t) => {
  const written = new Map([
    ["clientPortBacklog", { value: "7", source: "test" }],
    ["clientPortAddress", { value: "127.0.0.1", source: "test" }],
  ] as const);
  const validation = validate(written, { transport: "memory" });
  if (validation.kind === "invalid") throw new Error("it is not valid");
  const lane = await LaneClients.prepare(
    {
      config: { ...validation.config, lanes: 1 },
      counts: ConnectionCounts.share({ connectionsMax: 10, perAddressMax: 0 }),
      lane: 1,
      ports: { clientPort: 0, secureClientPort: undefined },
      nats: false,
      ownDoor: undefined,
      skips: [],
    },
    {
      system: () => {
        throw new Error("there is none");
      },
      hear: () => undefined,
      onInspection: () => undefined,
      signal: new AbortController().signal,
    },
  );
  const listen = mock.method(Server.prototype, "listen");
  t.teardown(() => listen.mock.restore());
  await lane.listener.listen();
  await lane.listener.close();
  t.like(listen.mock.calls[0]?.arguments[0], { host: "127.0.0.1", port: 0, backlog: 7 });
});
