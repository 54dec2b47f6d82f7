/** Groups against a node of zooid. */
import test from "ava";
import { filter, firstValueFrom, map } from "rxjs";
import type { Client } from "../../../client/client.ts";
import type { MemberOf, Members } from "../../../client/recipes/members.ts";
import { json, key, text } from "../../../client/values.ts";
import { ConnectionLossError } from "../../../protocol/errors.ts";
import { changedClient, sharedClients, sharedHost } from "../../support/recipes.ts";

let one: Client;
let two: Client;

test.before(async () => {
  [one, two] = await sharedClients();
});

/** Resolves when the group is that. */
async function until<Value>(
  group: Members<Value>,
  isMeant: (members: readonly MemberOf<Value>[]) => boolean,
): Promise<readonly MemberOf<Value>[]> {
  return firstValueFrom(group.members$.pipe(filter(isMeant)));
}

function portOf(member: MemberOf<unknown> | undefined): unknown {
  return (member?.value as { readonly port?: number } | undefined)?.port;
}

test("all see who has joined, what they say of themselves, and who has left", async (t) => {
  const Crew = key("/groups/crew", { codec: json });
  const seen: string[] = [];
  const crew = two.members(Crew);
  const names$ = crew.members$.pipe(map((all) => all.map(({ name }) => name).join()));
  const following = names$.subscribe((names) => seen.push(names));
  await until(crew, (all) => all.length === 0);
  const ada = await one.join(Crew, { port: 1 }, { name: "ada" });
  const bob = await two.join(Crew, { port: 2 }, { name: "bob" });
  await until(crew, (all) => all.length === 2);
  t.true(bob.fence > ada.fence);
  await ada.update({ port: 3 });
  const all = await until(crew, ([first]) => portOf(first) === 3);
  t.deepEqual(
    all.map(({ name, value, fence }) => ({ name, value, fence })),
    [
      { name: "ada", value: { port: 3 }, fence: ada.fence },
      { name: "bob", value: { port: 2 }, fence: bob.fence },
    ],
  );
  await ada.leave();
  await until(crew, ([first]) => first?.name === "bob");
  t.true(ada.signal.aborted);
  await t.throwsAsync(
    one
      .transaction((make) => [make.create("/never")])
      .if(ada.isHeld)
      .commit(),
    {
      code: "ZOOID_CONDITION_FAILED",
    },
  );
  following.unsubscribe();
  t.deepEqual([seen[0], seen.at(-1)], ["", "bob"]);
});

test("a member is gone with its session", async (t) => {
  const gone = await (await sharedHost()).connect();
  await gone.join("/groups/gone", "here");
  const group = one.members("/groups/gone");
  await until(group, (all) => all.length === 1);
  await gone.close();
  await until(group, (all) => all.length === 0);
  t.deepEqual(await group.list(), []);
});

test("a name that another session has is waited for, and its next owner has a larger fence", async (t) => {
  const first = await one.join("/groups/name", "first", { name: "same" });
  await t.throwsAsync(two.join("/groups/name", "second", { name: "same", waitMs: 0 }), {
    code: "ZOOID_NOT_ACQUIRED",
  });
  const next = two.join("/groups/name", "second", { name: "same" });
  await first.leave();
  t.true((await next).fence > first.fence);
});

test("a caller that waits no longer for a name is told so", async (t) => {
  await one.join("/groups/abort", "first", { name: "same" });
  const stop = new AbortController();
  const next = two.join("/groups/abort", "second", { name: "same", signal: stop.signal });
  stop.abort(new Error("enough"));
  await t.throwsAsync(next, { code: "ZOOID_ABORTED" });
});

test("a join that is given up while it looks for what it may have made leaves nothing behind", async (t) => {
  const stop = new AbortController();
  const losing = changedClient(one, {
    request: async (request, options) => {
      if (request.kind === "read" && request.read.path === "/groups/left/me") stop.abort();
      const answer = await one.wire.request(request, options);
      if (request.kind !== "write" || answer.result.kind !== "created") return answer;
      throw new ConnectionLossError("of a test");
    },
  });
  const joined = losing.join("/groups/left", "x", { name: "me", signal: stop.signal });
  await t.throwsAsync(joined, { code: "ZOOID_ABORTED" });
  await until(two.members("/groups/left"), (all) => all.length === 0);
  t.is((await two.exists("/groups/left/me")).stat, undefined);
});

test("a join whose answer was lost finds that it has joined", async (t) => {
  let isLost = false;
  const losing = changedClient(one, {
    request: async (request, options) => {
      const answer = await one.wire.request(request, options);
      const isCreate = request.kind === "write" && request.operation.kind === "create";
      if (isLost || !isCreate || answer.result.kind !== "created") return answer;
      if (!answer.result.path.endsWith("/me")) return answer;
      isLost = true;
      throw new ConnectionLossError("of a test");
    },
  });
  const me = await losing.join("/groups/lost", "x", { name: "me", waitMs: 0 });
  t.true(isLost);
  t.is((await two.members("/groups/lost").list())[0]?.fence, me.fence);
});

test("kazoo's layout has its mark in the names, and what has none is no member", async (t) => {
  const Party = key("/groups/party", { codec: text });
  const me = await one.join(Party, "me", { layout: "kazoo" });
  await one.create("/groups/party/other", "x");
  t.regex(me.name, /^[0-9a-f]{32}__party__$/);
  const members = await one.members(Party, { layout: "kazoo" }).list();
  t.deepEqual(
    members.map(({ value }) => value),
    ["me"],
  );
  t.throws(() => one.members(Party, { layout: "x" as "kazoo" }), { code: "ZOOID_BAD_ARGUMENTS" });
});

test("a member whose value is not valid is left out", async (t) => {
  const Json = key("/groups/bad", { codec: json });
  await one.join("/groups/bad", "{", { name: "bad" });
  await one.join(Json, 1, { name: "good" });
  t.deepEqual(
    (await one.members(Json).list()).map(({ name }) => name),
    ["good"],
  );
});
