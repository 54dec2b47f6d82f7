/** How steps become transactions of bounded size. */
import test from "ava";
import { batchesOf, bytesOf, raisesOf, setsOf } from "../../../cli/migrate/batches.ts";
import type { Step } from "../../../cli/migrate/difference.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { frameBytes } from "../../../protocol/native-size.ts";

function create(path: string, bytes = 0): Step {
  const mode = { ephemeral: false, sequential: false };
  return { kind: "create", path, data: new Uint8Array(bytes), acl: OPEN_ACL, mode };
}

test("steps keep their order, and a list that is set parts the transactions around it", (t) => {
  const acl: Step = { kind: "setAcl", path: "/b", acl: OPEN_ACL };
  const batches = batchesOf([create("/a"), create("/b"), acl, create("/c")]);
  t.deepEqual(
    batches.map((batch) =>
      batch.kind === "setAcl" ? "list" : batch.steps.map(({ path }) => path),
    ),
    [["/a", "/b"], "list", ["/c"]],
  );
  t.deepEqual(batchesOf([]), []);
});

test("no transaction has more steps or bytes than it may, unless one step alone has them", (t) => {
  const steps = Array.from({ length: 3_000 }, (_, index) => create(`/${index}`, (index % 7) * 300));
  steps.splice(100, 0, create("/large", 900_000));
  const batches = batchesOf(steps);
  t.deepEqual(
    batches.flatMap<Step>((batch) => (batch.kind === "setAcl" ? [batch] : batch.steps)),
    steps,
  );
  for (const batch of batches) {
    if (batch.kind === "setAcl") continue;
    const bytes = batch.steps.map((step) => bytesOf(step)).reduce((sum, each) => sum + each, 0);
    t.true(batch.steps.length <= 512);
    t.true(bytes <= 256 * 1024 || batch.steps.length === 1);
  }
});

test("a step is not larger than what is counted for it", (t) => {
  const step = create("/für/ä", 500) as Extract<Step, { kind: "create" }>;
  t.true(frameBytes({ kind: "write", operation: step }) <= bytesOf(step) + 64);
});

test("a counter is raised by as many creates, each deleted again in its transaction", (t) => {
  const transactions = [...raisesOf("/queue", 2_500, "raise")];
  t.is(transactions.flat().filter(({ kind }) => kind === "create").length, 2_500);
  for (const steps of transactions) {
    t.true(steps.length <= 2_000);
    for (const [index, step] of steps.entries()) {
      t.is(step.kind, index % 2 === 0 ? "create" : "delete");
      t.is("path" in step ? step.path : "", "/queue/raise");
    }
  }
  t.deepEqual([...raisesOf("/", 0, "raise")], []);
  const long = [...raisesOf(`/${"x".repeat(8_000)}`, 100, "raise")];
  t.true(long.length > 5, "long paths make more transactions");
});

test("a version is raised by as many sets, and no transaction leaves other data", (t) => {
  const data = new Uint8Array([1, 2]);
  const transactions = [...setsOf("/config", data, 2_345)];
  t.is(transactions.flat().length, 2_345);
  for (const steps of transactions)
    t.like(steps.at(-1), { kind: "setData", path: "/config", data });
});
