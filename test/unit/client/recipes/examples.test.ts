/** The examples of recipes do what they say, as processes. */
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { Child } from "../../../support/child.ts";
import { type RecipesHost, startRecipesHost } from "../../../support/recipes.ts";

const CHECKOUT = fileURLToPath(new URL("../../../..", import.meta.url));

let host: RecipesHost;

test.before(async () => {
  host = await startRecipesHost();
});

test.after.always(() => host.stop());

function example(t: ExecutionContext, name: string, ...args: readonly string[]): Child {
  const child = new Child({
    command: process.execPath,
    args: ["--conditions=source", `examples/${name}`, host.url, ...args],
    cwd: CHECKOUT,
  });
  t.teardown(() => child.stop());
  return child;
}

test("a worker of the queue sends the mail that was put", async (t) => {
  const worker = example(t, "job-queue.ts");
  t.is(await worker.line(/^try/), 'try 1: {"to":"ada"}');
  await worker.line(/^sent$/);
});

test("instances of the service find each other, and count", async (t) => {
  const one = example(t, "service.ts", "a");
  await one.line(/^instance 1 in zone a$/);
  const two = example(t, "service.ts", "b");
  await two.line(/^instance 2 in zone b$/);
  t.is(await one.line(/from zone/), '"hello" from zone b');
  t.is(await two.line(/from zone/), '"hello" from zone a');
});
