/** The examples of recipes do what they say, as processes. */
import test, { type ExecutionContext } from "ava";
import { Child } from "../../support/child.ts";
import { sharedHost } from "../../support/recipes.ts";
import { CHECKOUT } from "../../support/zooid-command.ts";

/** Each example, with what it prints. */
const EXAMPLES: readonly (readonly [name: string, lines: readonly string[]])[] = [
  ["lock", ["import 1 with a fence: true"]],
  [
    "read-write-lock",
    [
      "readers together: true",
      "a writer meanwhile: ZOOID_NOT_ACQUIRED",
      "then a writer alone: true",
    ],
  ],
  ["semaphore", ["at most two at a time: true"]],
  ["election", ["elected, as all can see: scheduler-1"]],
  [
    "barrier",
    ["a worker begins, migrated: true", "a worker begins, migrated: true", "all have left"],
  ],
];

async function example(
  t: ExecutionContext,
  name: string,
  ...args: readonly string[]
): Promise<Child> {
  const { url } = await sharedHost();
  const child = new Child({
    command: process.execPath,
    args: ["--conditions=source", `examples/recipes/${name}.ts`, url, ...args],
    cwd: CHECKOUT,
  });
  t.teardown(() => child.stop());
  return child;
}

for (const [name, lines] of EXAMPLES) {
  test.serial(`the example of a ${name} does what it says`, async (t) => {
    const child = await example(t, name);
    await child.exited;
    t.is(child.process.exitCode, 0, child.output());
    t.deepEqual(child.lines, lines);
  });
}

test("a worker of the queue sends the mail that was put", async (t) => {
  const worker = await example(t, "queue");
  t.is(await worker.line(/^try/), 'try 1: {"to":"ada"}');
  await worker.line(/^sent$/);
});

test("instances of the service find each other, and count", async (t) => {
  const one = await example(t, "service", "a");
  await one.line(/^instance 1 in zone a$/);
  const two = await example(t, "service", "b");
  await two.line(/^instance 2 in zone b$/);
  t.is(await one.line(/from zone/), '"hello" from zone b');
  t.is(await two.line(/from zone/), '"hello" from zone a');
});
