/** Recipes, each in its own file beside this one, against one node of zooid over a nats-server. */
import test from "ava";
import { sharedHost } from "../../support/recipes.ts";
import "./config.ts";
import "./counter.ts";
import "./examples.ts";
import "./members.ts";
import "./once.ts";
import "./queue.ts";
import "./rate-limit.ts";
import "./service.ts";

test.after.always("the node and nats-server stop", async () => {
  const host = await sharedHost();
  await host.stop();
});
