/** How many requests of clients a page of the API may put before those of others. */
import test from "ava";
import { children } from "../../../../server/admin/api/children.ts";
import type { OwnClient } from "../../../../server/embedded/own-client.ts";
import { API_CHILDREN_MAX } from "../../../../protocol/limits.ts";

const ZXIDS = { czxid: 1, mzxid: 1, pzxid: 1 };
const STAT = { ...ZXIDS, ephemeralOwner: 0, numChildren: API_CHILDREN_MAX };
const UNDER_WAY_MOST = 25;

test("a page of 500 children has 25 requests under way at once, and shows all that are still there", async (t) => {
  const names = Array.from({ length: API_CHILDREN_MAX }, (_, index) => `n${1000 + index}`);
  let [underWay, most] = [0, 0];
  const client = {
    children: async () => ({ children: names.toReversed(), stat: STAT, zxid: 1 }),
    exists: async (path: string) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await Promise.resolve();
      underWay -= 1;
      return { stat: path.endsWith("n1007") ? undefined : STAT };
    },
  } as unknown as OwnClient;
  const query = new URLSearchParams({ path: "/", limit: String(API_CHILDREN_MAX) });
  const { status, body } = await children(client, query);
  t.is(status, 200);
  const page = JSON.parse(String(body)) as { children: { name: string }[]; next: unknown };
  t.deepEqual(
    page.children.map(({ name }) => name),
    names.filter((name) => name !== "n1007"),
  );
  t.is(page.next, null);
  t.is(most, UNDER_WAY_MOST);
});
