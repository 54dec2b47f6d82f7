/** The session of the API: one, however many ask for it and whatever becomes of it. */
import test from "ava";
import { ApiSession } from "../../../../server/admin/api/session.ts";
import type { OwnClient } from "../../../../server/embedded/own-client.ts";
import { settled } from "../../../support/until.ts";

class Client {
  readonly over = new AbortController();
  readonly signal = this.over.signal;
  closes = 0;

  close(): Promise<void> {
    this.closes += 1;
    this.over.abort();
    return Promise.resolve();
  }
}

/** The attempts to connect that were made, which end as the test says. */
function sessionOf(): {
  session: ApiSession;
  attempts: PromiseWithResolvers<Client>[];
  signals: AbortSignal[];
} {
  const attempts: PromiseWithResolvers<Client>[] = [];
  const signals: AbortSignal[] = [];
  const session = new ApiSession((signal) => {
    signals.push(signal);
    const attempt = Promise.withResolvers<Client>();
    attempts.push(attempt);
    return attempt.promise as unknown as Promise<OwnClient>;
  });
  return { session, attempts, signals };
}

test("requests that come at once share a client, also when the one before has ended", async (t) => {
  const { session, attempts } = sessionOf();
  const ask = (): Promise<OwnClient[]> => Promise.all([1, 2, 3].map(() => session.client()));
  for (const count of [1, 2]) {
    const asked = ask();
    await settled();
    t.is(attempts.length, count);
    const client = new Client();
    attempts.at(-1)?.resolve(client);
    t.true((await asked).every((each) => each === (client as unknown)));
    t.true((await ask()).every((each) => each === (client as unknown)));
    t.is(attempts.length, count);
    client.over.abort();
  }
});

test("an attempt that fails is made again by who asks later", async (t) => {
  const { session, attempts } = sessionOf();
  const asked = Promise.all([t.throwsAsync(session.client()), t.throwsAsync(session.client())]);
  await settled();
  attempts[0]?.reject(new Error("nobody serves"));
  await asked;
  const again = session.client();
  await settled();
  const client = new Client();
  attempts[1]?.resolve(client);
  t.is((await again) as unknown, client);
});

test("an attempt that is under way is given up when the session is closed", async (t) => {
  const { session, attempts, signals } = sessionOf();
  const asked = session.client();
  await settled();
  const closing = session.close();
  t.true(signals[0]?.aborted);
  attempts[0]?.reject(new Error("given up"));
  await t.throwsAsync(asked, { message: "given up" });
  await closing;
});

test("a client is closed that comes when the session is closed already, and no other one is made", async (t) => {
  const { session, attempts } = sessionOf();
  const asked = session.client();
  await settled();
  const closing = session.close();
  const client = new Client();
  attempts[0]?.resolve(client);
  await asked;
  await closing;
  t.is(client.closes, 1);
  await t.throwsAsync(session.client(), { code: "ZOOID_NODE_STOPPED" });
  t.is(attempts.length, 1);
});
