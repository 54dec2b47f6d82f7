/** What becomes of a client whose servers are older than what it asks for: it is told, and nothing else suffers. */
import { type Client, UnsupportedError } from "../../../client/connect.ts";
import type { Case, Scene } from "./case.ts";

/** Sets, reads, and what the servers do not know, asked for in one turn: each has the answer that it would have alone. */
async function refusedBesideOthers(
  { t, client, base }: Scene,
  asked: (client: Client) => Promise<unknown>,
): Promise<void> {
  const path = `${base}/beside`;
  await client.create(path, "0");
  for (let turn = 0; turn < 3; turn += 1) {
    const reads = (): Promise<string[]> =>
      Promise.all([0, 1, 2].map(async () => String((await client.get(path)).data?.at(0))));
    const [before, first, error, after, second] = await Promise.all([
      reads(),
      client.set(path, "1", { version: 2 * turn }),
      t.throwsAsync(asked(client), { instanceOf: UnsupportedError }),
      reads(),
      client.set(path, "2", { version: 2 * turn + 1 }),
    ]);
    t.deepEqual([first.version, second.version], [2 * turn + 1, 2 * turn + 2]);
    t.deepEqual(
      before,
      Array.from({ length: 3 }, () => String((turn === 0 ? "0" : "2").charCodeAt(0))),
    );
    t.deepEqual(
      after,
      Array.from({ length: 3 }, () => String("1".charCodeAt(0))),
    );
    t.like(error, { code: "ZOOID_UNSUPPORTED", maybeApplied: "no", retryable: false });
  }
}

export const OLDER_CASES: readonly Case[] = [
  {
    title: "a container is refused in a typed error where servers know none, and nothing beside it",
    without: "containers",
    run: async (scene) => {
      const { t, client, other, base } = scene;
      // One session has asked for nothing yet, the other has.
      for (const each of [await other(), client]) {
        const asked = each.create(`${base}/c`, null, { container: true });
        t.is((await t.throwsAsync(asked, { instanceOf: UnsupportedError })).path, `${base}/c`);
      }
      await refusedBesideOthers(scene, (each) =>
        each.create(`${base}/c`, null, { container: true }),
      );
      const both = client.transaction((tx) => [
        tx.create(`${base}/plain`),
        tx.create(`${base}/d`, null, { container: true }),
      ]);
      await t.throwsAsync(both.commit(), { instanceOf: UnsupportedError });
      t.deepEqual((await client.children(base)).children, ["beside"]);
    },
  },
  {
    title: "parents stay where servers know no containers",
    without: "containers",
    run: async ({ t, client, other, base }) => {
      for (const [index, each] of [client, await other()].entries()) {
        const path = `${base}/${index}/a/b`;
        const { created } = await each.create(path, "x", { parents: "container" });
        t.true(created);
        await each.delete(path);
        t.is((await each.exists(`${base}/${index}/a`)).stat?.ephemeralOwner, 0);
      }
    },
  },
  {
    title: "a TTL is refused in a typed error where servers know none, and nothing beside it",
    without: "ttls",
    run: async (scene) => {
      const { t, client, other, base } = scene;
      for (const each of [await other(), client]) {
        const asked = each.create(`${base}/t`, null, { ttlMs: 1_000 });
        await t.throwsAsync(asked, { instanceOf: UnsupportedError });
      }
      await refusedBesideOthers(scene, (each) => each.create(`${base}/t`, null, { ttlMs: 1_000 }));
      const one = client.transaction((tx) => [tx.create(`${base}/t`, null, { ttlMs: 1_000 })]);
      await t.throwsAsync(one.commit(), { instanceOf: UnsupportedError });
      const work = client.once(`${base}/once`, () => 1, { keepResultMs: 1_000 });
      await t.throwsAsync(work, { instanceOf: UnsupportedError });
      t.deepEqual((await client.children(base)).children, ["beside"]);
    },
  },
  {
    title: "who a client is is refused in a typed error where servers do not say it",
    without: "whoAmI",
    run: async (scene) => {
      const fresh = await scene.other();
      await scene.t.throwsAsync(fresh.whoAmI(), { instanceOf: UnsupportedError });
      await refusedBesideOthers(scene, (each) => each.whoAmI());
    },
  },
];
