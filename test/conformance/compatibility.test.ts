/** What `docs/compatibility.md` says of each operation is so: it is there, or refused as one that is not. */
import test from "ava";
import { cell, codes, compatibilityRows } from "../support/compatibility.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { unknown } from "../support/zookeeper-client/operations.ts";
import { startZooid, type ZooidNode } from "../support/zooid.ts";

const UNIMPLEMENTED = -6;

let node: ZooidNode | undefined;

test.before(async () => {
  node = await startZooid();
});

test.after.always(() => node?.stop());

/** The code of the answer to a request without a body. Undefined: the connection was closed instead. */
async function answerTo(code: number): Promise<number | undefined> {
  if (node === undefined) throw new Error("the node has not started");
  const client = await ZkClient.connect(node);
  const reply = await client.request(unknown(code)).catch(() => undefined);
  await client.cut();
  return reply?.code;
}

for (const row of compatibilityRows().filter(({ chapter }) => chapter === "Operations")) {
  const [code, ...others] = codes(row);
  if (code === undefined || others.length > 0) continue;
  const isThere = !/^(refused|disabled) \(-6\)/.test(cell(row, "state"));
  const name = cell(row, "operation").replaceAll("`", "");
  test(`${name} is there or refused as documented`, async (t) => {
    t.is((await answerTo(code)) !== UNIMPLEMENTED, isThere);
  });
}
