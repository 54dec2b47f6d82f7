/** Pages of a znode with so many children that the JSON API does not put them in order, which it reads as they stand in the tree. */
import test from "ava";
import { connect } from "../../client/connect.ts";
import { API_SORTED_MAX } from "../../protocol/limits.ts";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import { launchNode } from "../../server/node.ts";
import { askAdmin } from "../support/admin.ts";
import { memoryConfig } from "../support/running-nodes.ts";

const LIMIT = 500;

type Page = {
  readonly status: number;
  readonly children: readonly { readonly name: string }[];
  readonly sorted: boolean;
  readonly next: string | null;
  readonly error: { readonly code: string };
};

/** A page of `/many`. */
async function pageOf(url: string, after = "", behind?: string): Promise<Page> {
  const from = behind === undefined ? { after } : { after, behind };
  const query = new URLSearchParams({ path: "/many", limit: String(LIMIT), ...from });
  const { status, text } = await askAdmin(url, `/api/v1/children?${query.toString()}`);
  return { ...(JSON.parse(text) as Omit<Page, "status">), status };
}

function namesOf({ children }: Page): readonly string[] {
  return children.map(({ name }) => name);
}

function cursorOf(...fields: readonly string[]): string {
  return `/${Buffer.from(JSON.stringify(fields)).toString("base64url")}`;
}

test.serial(
  "every child is shown once, whatever goes meanwhile, and a cursor without meaning is refused",
  async (t) => {
    const node = await launchNode(memoryConfig({}), { inMemory: { disk: new MemoryDisk() } });
    t.teardown(() => node.stop());
    await node.ready;
    const client = await connect(`zk://127.0.0.1:${node.clientPort}`);
    t.teardown(() => client.close());
    await client.create("/many");
    // In an order that is not that of the names.
    const name = (number: number): string => `c${(number * 7919) % 100_003}`;
    const names = Array.from({ length: API_SORTED_MAX + 1 }, (_, number) => name(number));
    await Promise.all(names.map((each) => client.create(`/many/${each}`)));
    const url = node.adminUrl ?? "";

    // Behind a child that is known by its name alone come the same as behind one that a page ended with.
    const begin = await pageOf(url);
    const two = [...namesOf(begin), ...namesOf(await pageOf(url, begin.next ?? ""))];
    const behind = await pageOf(url, "", two[100]);
    t.deepEqual(namesOf(behind), two.slice(101, 101 + LIMIT));
    t.is(namesOf(await pageOf(url, behind.next ?? ""))[0], two[101 + LIMIT]);
    const nobody = await pageOf(url, "", "nobody");
    t.deepEqual([nobody.status, nobody.error.code], [409, "ZOOID_PAGE_LOST"]);
    t.is((await pageOf(url, "c1", "c1")).status, 400);

    const seen: string[] = [];
    const cursors: string[] = [];
    const pagesMax = Math.ceil(names.length / LIMIT) + 1;
    for (let page = await pageOf(url); ; ) {
      t.false(page.sorted);
      seen.push(...namesOf(page));
      if (page.next === null) break;
      cursors.push(page.next);
      t.true(cursors.length < pagesMax, "there is always a next page");
      // The last child of the second page goes, and so does one that was shown long before.
      const gone = cursors.length === 2 ? [seen.at(-1), seen[0]] : [];
      for (const each of gone) await client.delete(`/many/${each}`);
      page = await pageOf(url, page.next);
    }
    t.deepEqual(seen.toSorted(), names.toSorted());
    const again = namesOf(await pageOf(url, cursors[0]));
    t.deepEqual(again, [...seen.slice(LIMIT, 2 * LIMIT - 1), seen[2 * LIMIT]]);

    // By now there are as few as are put in order.
    const [first = ""] = seen.toSorted();
    t.true((await pageOf(url, first)).sorted);
    t.is(namesOf(await pageOf(url, "", first))[0], seen.toSorted()[1]);
    await Promise.all([client.create("/many/another"), client.create("/many/one-more")]);
    const lost = [await pageOf(url, first), await pageOf(url, cursorOf("1.1.1.1", "0x1", "c1"))];
    t.deepEqual(
      lost.map(({ status, error }) => [status, error.code]),
      [
        [409, "ZOOID_PAGE_LOST"],
        [409, "ZOOID_PAGE_LOST"],
      ],
    );
    const wrong = ["/", "/x", cursorOf(), cursorOf("a", "b", "c"), cursorOf("a", "0x1")];
    for (const after of wrong) {
      const { status, error } = await pageOf(url, after);
      t.deepEqual([status, error.code], [400, "ZOOID_BAD_ARGUMENTS"], after);
    }
  },
);
