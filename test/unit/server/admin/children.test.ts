/** How many requests of clients a page of the API may put before those of others. */
import test from "ava";
import { statsOneByOne } from "../../../../cli/dashboard/stats.ts";
import { children, type Listing } from "../../../../server/admin/api/children.ts";
import type { OwnClient } from "../../../../server/embedded/own-client.ts";
import { API_CHILDREN_MAX } from "../../../../protocol/limits.ts";
import type { NativeRequest } from "../../../../protocol/native-packing.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";

const ZXIDS = { czxid: 1 as Zxid, mzxid: 1 as Zxid, pzxid: 1 as Zxid };
const STAT = {
  ...{ ...ZXIDS, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0 },
  ...{ ephemeralOwner: 0, dataLength: 0, numChildren: API_CHILDREN_MAX },
};
const NAMES: readonly string[] = Array.from(
  { length: API_CHILDREN_MAX },
  (_, index) => `n${1000 + index}`,
);
const GONE = "n1007";
const UNDER_WAY_MOST = 25;

async function pageOf(client: object, listing?: Listing): Promise<readonly string[]> {
  const query = new URLSearchParams({ path: "/", limit: String(API_CHILDREN_MAX) });
  const { status, body } = await children(client as OwnClient, query, listing);
  if (status !== 200) throw new Error(body);
  const page = JSON.parse(body) as { children: { name: string }[]; next: unknown };
  if (page.next !== null) throw new Error("there is no more");
  return page.children.map(({ name }) => name);
}

/** What a node is asked for so many names. */
function nodeOf(names: readonly string[], asked: string[]): object {
  return {
    exists: async () => {
      asked.push("exists");
      return { stat: STAT, zxid: 1 };
    },
    children: async () => {
      asked.push("children");
      return { children: names.toReversed(), stat: STAT, zxid: 1 };
    },
    request: async (request: NativeRequest) => {
      if (request.kind !== "read" || request.read.kind !== "childStats") throw new Error("of what");
      asked.push(request.read.kind);
      const stats = request.read.names.map((name) => (name === GONE ? null : STAT));
      return { result: { kind: "stats", stats }, zxid: 2 };
    },
  };
}

test("a page of 500 children takes three reads, and shows all that are still there", async (t) => {
  const asked: string[] = [];
  const listed = await pageOf(nodeOf(NAMES, asked));
  t.deepEqual(
    listed,
    NAMES.filter((name) => name !== GONE),
  );
  t.deepEqual(asked, ["exists", "children", "childStats"]);
});

test("names that are too long for one request are asked for in several", async (t) => {
  const asked: string[] = [];
  const names = NAMES.map((name) => name.padEnd(1000, "x"));
  t.deepEqual(await pageOf(nodeOf(names, asked)), names);
  t.is(asked.filter((each) => each === "childStats").length, 8);
});

test("of a server that has no such read 25 are asked for at once", async (t) => {
  let [underWay, most] = [0, 0];
  const client = {
    exists: async (path: string) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await Promise.resolve();
      underWay -= 1;
      return { stat: path === `/${GONE}` ? undefined : STAT };
    },
  };
  const list = async (): ReturnType<Extract<Listing, { kind: "names" }>["list"]> => {
    return { names: NAMES, stat: STAT, zxid: 1 as Zxid };
  };
  const listed = await pageOf(client, { kind: "names", list, stats: statsOneByOne });
  t.deepEqual(
    listed,
    NAMES.filter((name) => name !== GONE),
  );
  t.is(most, UNDER_WAY_MOST);
});
