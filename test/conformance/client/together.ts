/** Transactions, order, linearizable reads, access control lists, quotas. */
import {
  absent,
  BadArgumentsError,
  BadVersionError,
  ConditionFailedError,
  exists,
  InvalidAclError,
  NodeExistsError,
  NoAuthError,
} from "../../../client/connect.ts";
import type { Case } from "./case.ts";

export const TOGETHER_CASES: readonly Case[] = [
  {
    title: "a transaction is done as a whole, at one zxid, and its results are typed by position",
    run: async ({ t, client, base }) => {
      await client.create(`${base}/set`, "1");
      await client.create(`${base}/gone`);
      const done = await client
        .transaction((tx) => [
          tx.create(`${base}/job-`, "x", { sequential: true }),
          tx.set(`${base}/set`, "2", { version: 0 }),
          tx.delete(`${base}/gone`),
          tx.check(base),
        ])
        .commit();
      const [job, stat, gone] = done;
      t.is(job.path, `${base}/job-0000000002`);
      t.is(stat.version, 1);
      t.is(gone, undefined);
      t.is(stat.mzxid, done.zxid);
      t.is((await client.exists(job.path)).stat?.czxid, done.zxid);
      t.is((await client.exists(`${base}/gone`)).stat, undefined);
    },
  },
  {
    title: "a transaction whose step is refused does nothing, and says which step",
    run: async ({ t, client, base }) => {
      await client.create(`${base}/a`, "1");
      const asked = client
        .transaction((tx) => [tx.create(`${base}/b`), tx.set(`${base}/a`, "2", { version: 9 })])
        .commit();
      const error = await t.throwsAsync(asked, { instanceOf: BadVersionError });
      t.like(error, { operationIndex: 1, path: `${base}/a` });
      t.is((await client.exists(`${base}/b`)).stat, undefined);
      const twice = client.transaction((tx) => [tx.create(`${base}/a`)]).commit();
      t.is((await t.throwsAsync(twice, { instanceOf: NodeExistsError })).operationIndex, 0);
      await t.throwsAsync(client.transaction(() => []).commit(), { instanceOf: BadArgumentsError });
    },
  },
  {
    title: "conditions hold or nothing is done",
    run: async ({ t, client, base }) => {
      await client.create(`${base}/held`);
      const write = client.transaction((tx) => [
        tx.create(`${base}/x-`, null, { sequential: true }),
      ]);
      const [made] = await write
        .if(exists(`${base}/held`))
        .if(absent(`${base}/none`))
        .commit();
      t.true(made.path.startsWith(`${base}/x-`));
      for (const condition of [
        exists(`${base}/none`),
        exists(`${base}/held`, 3),
        absent(`${base}/held`),
      ]) {
        const error = await t.throwsAsync(write.if(condition).commit(), {
          instanceOf: ConditionFailedError,
        });
        t.is(error.condition, condition.name);
        t.is(error.maybeApplied, "no");
      }
      t.is((await client.children(base)).children.length, 2);
    },
  },
  {
    title: "a linearizable read sees what another client has finished",
    run: async ({ t, client, other, base }) => {
      const writer = await other();
      for (let turn = 0; turn < 20; turn += 1) {
        await writer.put(`${base}/x`, String(turn));
        const { data } = await client.get(`${base}/x`, { consistency: "linearizable" });
        t.is(new TextDecoder().decode(data ?? new Uint8Array()), String(turn));
      }
      await writer.put(`${base}/y`, "1");
      await client.sync(`${base}/y`);
      t.not((await client.exists(`${base}/y`)).stat, undefined);
    },
  },
  {
    title: "what is asked in one turn is done in its order",
    run: async ({ t, client, base }) => {
      const [, first, , second] = await Promise.all([
        client.create(`${base}/a`, "1"),
        client.get(`${base}/a`),
        client.set(`${base}/a`, "2"),
        client.get(`${base}/a`),
      ]);
      t.is(new TextDecoder().decode(first.data ?? undefined), "1");
      t.is(new TextDecoder().decode(second.data ?? undefined), "2");
    },
  },
  {
    title: "access control lists are set, read, and hold",
    run: async ({ t, client, connect, base }) => {
      const own = await connect({ identities: [{ user: "ada", password: "secret" }] });
      const path = `${base}/mine`;
      const acl = [{ permissions: 31, scheme: "auth", id: "" }];
      await own.create(path, "x", { acl });
      await t.throwsAsync(client.get(path), { instanceOf: NoAuthError });
      await t.throwsAsync(client.set(path, "y"), { instanceOf: NoAuthError });
      const read = await own.acl(path);
      t.is(read.acl[0]?.scheme, "digest");
      const open = [{ permissions: 31, scheme: "world", id: "anyone" }];
      t.is((await own.setAcl(path, open, { version: 0 })).aversion, 1);
      t.deepEqual((await client.acl(path)).acl, open);
      await t.throwsAsync(client.setAcl(path, [], {}), { instanceOf: InvalidAclError });
    },
  },
  {
    title: "a client is told who it is",
    needs: "whoAmI",
    run: async ({ t, connect }) => {
      const own = await connect({ identities: [{ user: "ada", password: "secret" }] });
      const digests = (await own.whoAmI()).filter(({ scheme }) => scheme === "digest");
      t.true(digests.some(({ id }) => id.startsWith("ada")));
    },
  },
  {
    title: "a quota is set, read and taken away",
    run: async ({ t, client, base }) => {
      t.is(await client.quota(base), undefined);
      await client.create(`${base}/a`, "12345");
      await client.setQuota(base, { znodes: 10, bytesHard: 1000 });
      await client.create(`${base}/b`, "123");
      const quota = await client.quota(base);
      t.deepEqual(quota?.limits, { znodes: 10, bytesHard: 1000 });
      t.is(quota?.znodes, 3);
      await client.setQuota(base, null);
      t.is(await client.quota(base), undefined);
    },
  },
];
