/** Creating, reading, changing and deleting znodes. */
import {
  BadVersionError,
  InvalidValueError,
  json,
  key,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  text,
} from "../../../client/connect.ts";
import type { Case } from "./case.ts";

const shown = (data: Uint8Array | null): string | null =>
  data === null ? null : new TextDecoder().decode(data);

export const ZNODE_CASES: readonly Case[] = [
  {
    title: "a znode is created, read, changed and deleted, and its versions count",
    run: async ({ t, client, base }) => {
      const path = `${base}/a`;
      const made = await client.create(path, "one");
      t.like(made, { path, created: true });
      t.is(made.stat.version, 0);
      const first = await client.get(path);
      t.is(shown(first.value), "one");
      t.is(first.stat.czxid, made.stat.czxid);
      t.true(first.zxid >= made.zxid);
      t.is((await client.set(path, "two", { version: 0 })).version, 1);
      await t.throwsAsync(client.set(path, "three", { version: 0 }), {
        instanceOf: BadVersionError,
      });
      t.is(shown((await client.get(path)).data), "two");
      t.is((await client.exists(path)).stat?.version, 1);
      await t.throwsAsync(client.delete(path, { version: 7 }), { instanceOf: BadVersionError });
      await client.delete(path, { version: 1 });
      t.is((await client.exists(path)).stat, undefined);
      await t.throwsAsync(client.get(path), { instanceOf: NoNodeError, code: "ZOOID_NO_NODE" });
      await t.throwsAsync(client.delete(path), { instanceOf: NoNodeError });
    },
  },
  {
    title: "what is there, missing or not empty is said by the class and the path of the error",
    run: async ({ t, client, base }) => {
      await client.create(`${base}/a`);
      const exists = await t.throwsAsync(client.create(`${base}/a`), {
        instanceOf: NodeExistsError,
      });
      t.is(exists.path, `${base}/a`);
      t.is(exists.maybeApplied, "no");
      await t.throwsAsync(client.create(`${base}/b/c`), { instanceOf: NoNodeError });
      await client.create(`${base}/a/b`);
      await t.throwsAsync(client.delete(`${base}/a`), { instanceOf: NotEmptyError });
    },
  },
  {
    title: "no data, empty data and text are told apart",
    run: async ({ t, client, base }) => {
      await client.create(`${base}/none`);
      await client.create(`${base}/empty`, "");
      await client.create(`${base}/text`, "ä");
      t.is((await client.get(`${base}/none`)).value, null);
      t.deepEqual((await client.get(`${base}/empty`)).value, new Uint8Array());
      t.is((await client.get(`${base}/text`)).value?.length, 2);
    },
  },
  {
    title: "sequential znodes are numbered, and the number is part of the returned path",
    run: async ({ t, client, base }) => {
      const names: string[] = [];
      for (let count = 0; count < 3; count += 1) {
        const { path } = await client.create(`${base}/n-`, null, { sequential: true });
        names.push(path.slice(base.length + 1));
      }
      t.deepEqual(names, ["n-0000000000", "n-0000000001", "n-0000000002"]);
      t.deepEqual([...(await client.children(base)).children].sort(), names);
    },
  },
  {
    title: "ancestors are made on request, and a znode that is there is left alone on request",
    run: async ({ t, client, base }) => {
      const path = `${base}/a/b/c`;
      const made = await client.create(path, "x", { parents: true });
      t.true(made.created);
      t.is((await client.get(`${base}/a/b`)).value, null);
      const again = await client.create(path, "y", { ifNotExists: true });
      t.like(again, { path, created: false });
      t.is(again.stat.czxid, made.stat.czxid);
      t.is(shown((await client.get(path)).value), "x");
    },
  },
  {
    title: "put creates with ancestors, then sets",
    run: async ({ t, client, base }) => {
      const path = `${base}/a/b`;
      t.like(await client.put(path, "1"), { path, created: true });
      t.like(await client.put(path, "2"), { path, created: false });
      const { value, stat } = await client.get(path);
      t.is(shown(value), "2");
      t.is(stat.version, 1);
    },
  },
  {
    title: "update repeats until nobody else has changed the znode meanwhile",
    run: async ({ t, client, other, base }) => {
      const counter = key(`${base}/count`, { codec: json });
      const clients = [client, await other()];
      const addOne = (now: unknown): unknown => (typeof now === "number" ? now + 1 : 1);
      const turns = Array.from({ length: 10 }, (_, turn) => clients[turn % 2] ?? client);
      await Promise.all(turns.map((each) => each.update(counter, addOne)));
      t.is((await client.get(counter, { consistency: "linearizable" })).value, 10);
      const same = await client.update(counter, () => undefined);
      t.is(same?.stat.version, 9);
    },
  },
  {
    title: "a subtree is deleted with all that is in it",
    run: async ({ t, client, base }) => {
      const names = Array.from({ length: 30 }, (_, index) => `${base}/tree/${index % 3}/${index}`);
      await client.create(`${base}/tree`);
      await Promise.all([0, 1, 2].map((index) => client.create(`${base}/tree/${index}`)));
      await Promise.all(names.map((name) => client.create(name)));
      await client.delete(`${base}/tree`, { recursive: true });
      t.is((await client.exists(`${base}/tree`)).stat, undefined);
      await t.throwsAsync(client.delete(`${base}/tree`, { recursive: true }), {
        instanceOf: NoNodeError,
      });
    },
  },
  {
    title: "children by pages are all of the children, each once",
    run: async ({ t, client, base }) => {
      const names = Array.from({ length: 25 }, (_, index) => `c${index}`);
      await Promise.all(names.map((name) => client.create(`${base}/${name}`)));
      const given: string[] = [];
      for await (const { children } of client.childrenPages(base, { size: 10 }))
        given.push(...children);
      t.deepEqual(given.sort(), names.sort());
    },
  },
  {
    title: "typed values go through codec and schema, and what is wrong says where",
    run: async ({ t, client, base }) => {
      const name = key(`${base}/name`, { codec: text });
      await client.put(name, "ada");
      t.is((await client.get(name)).value, "ada");
      const limits = key(`${base}/limits`, { codec: json });
      await client.create(limits, { perSecond: 5 });
      t.deepEqual((await client.get(limits)).value, { perSecond: 5 });
      await client.set(limits.path, "{");
      const error = await t.throwsAsync(client.get(limits), { instanceOf: InvalidValueError });
      t.like(error, { code: "ZOOID_INVALID_VALUE", path: limits.path, which: "stored" });
      t.deepEqual((await client.children(base)).children.length, 2);
      t.deepEqual(
        (await client.get(limits.at("x")).catch((each: unknown) => each)) instanceof NoNodeError,
        true,
      );
    },
  },
  {
    title: "a container is made, alone and by a transaction",
    needs: "containers",
    run: async ({ t, client, base }) => {
      await client.create(`${base}/c`, null, { container: true });
      await client.create(`${base}/c/x`);
      t.is((await client.exists(`${base}/c`)).stat?.numChildren, 1);
      const make = client.transaction((tx) => [tx.create(`${base}/d`, "x", { container: true })]);
      const [made] = await make.commit();
      t.deepEqual(made.stat, (await client.exists(`${base}/d`)).stat);
    },
  },
  {
    title: "a znode with a TTL is made, alone and by a transaction",
    needs: "ttls",
    run: async ({ t, client, base }) => {
      const ttlMs = 1_000_000;
      const alone = await client.create(`${base}/a`, "x", { ttlMs });
      t.deepEqual(alone.stat, (await client.exists(`${base}/a`)).stat);
      const make = client.transaction((tx) => [tx.create(`${base}/b`, "x", { ttlMs })]);
      const [made] = await make.commit();
      t.deepEqual(made.stat, (await client.exists(`${base}/b`)).stat);
      t.is(await client.once(`${base}/once`, () => 1, { keepResultMs: ttlMs }), 1);
    },
  },
];
