/** The session of a client: what ends with it, what is aborted, what is said of it. */
import { AbortedError, BadArgumentsError, ClosedError, connect } from "../../../client/connect.ts";
import type { Case } from "./case.ts";

export const SESSION_CASES: readonly Case[] = [
  {
    title: "an ephemeral znode ends with the session of its owner",
    run: async ({ t, client, other, base }) => {
      const owner = await other();
      const { stat } = await owner.create(`${base}/e`, null, { ephemeral: true });
      const state = owner.state;
      t.true(state.kind === "connected" && state.session === stat.ephemeralOwner);
      t.true(owner.wire.validUntilMs > owner.wire.clock.nowMs());
      await owner.close();
      await client.sync();
      t.is((await client.exists(`${base}/e`)).stat, undefined);
      t.true(owner.signal.aborted);
      t.true(owner.signal.reason instanceof ClosedError);
      await t.throwsAsync(owner.get(base), { instanceOf: ClosedError });
    },
  },
  {
    title: "await using closes a client",
    run: async ({ t, client, other, base }) => {
      {
        await using owner = await other();
        await owner.create(`${base}/e`, null, { ephemeral: true });
      }
      await client.sync();
      t.is((await client.exists(`${base}/e`)).stat, undefined);
    },
  },
  {
    title: "a call is aborted by its signal, whose reason is the cause",
    run: async ({ t, client, base }) => {
      const early = await t.throwsAsync(client.get(base, { signal: AbortSignal.abort("enough") }), {
        instanceOf: AbortedError,
      });
      t.like(early, { name: "AbortError", cause: "enough", maybeApplied: "no" });
      const controller = new AbortController();
      const asked = client.get(base, { signal: controller.signal });
      controller.abort("later");
      t.like(await t.throwsAsync(asked, { instanceOf: AbortedError }), { cause: "later" });
      await t.throwsAsync(client.get(base, { timeoutMs: -1 }), { instanceOf: BadArgumentsError });
    },
  },
  {
    title: "a wrong URL is refused before anything is done, and a password in it is not told",
    run: async ({ t }) => {
      for (const url of ["", "http://127.0.0.1", "zk://", "nats://a:s3cret%@127.0.0.1:1"]) {
        const error = await t.throwsAsync(connect(url), { instanceOf: BadArgumentsError }, url);
        t.false(error.message.includes("s3cret"));
      }
    },
  },
];
