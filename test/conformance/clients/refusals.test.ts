/** What clients that others wrote report when an operation is refused. */
import test from "ava";
import { startZooid } from "../../support/zooid.ts";
import { runKazooScript } from "./clients.ts";

test("kazoo names what is refused: a write to /zookeeper/config, a scheme that is not served", async (t) => {
  const node = await startZooid();
  t.teardown(() => node.stop());
  t.deepEqual(await runKazooScript("kazoo_refusals.py", `127.0.0.1:${node.port}`), [
    "members NoAuthError",
    "auth AuthFailedError",
  ]);
});
