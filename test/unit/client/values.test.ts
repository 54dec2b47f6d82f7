/** Typed values: codecs, schemas of several libraries, and what is said of values that are wrong. */
import test from "ava";
import * as v from "valibot";
import { z } from "zod";
import { BadArgumentsError, InvalidValueError } from "../../../protocol/errors.ts";
import { bytes, cbor, decoded, encoded, json, key, text } from "../../../client/values.ts";

const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);

test("each codec reads what it writes", (t) => {
  const values = [
    [text, "ä"],
    [json, { a: [1, null, "x"] }],
    [cbor, { at: 5n, list: [1.5, null] }],
    [bytes, new Uint8Array([0, 255])],
  ] as const;
  for (const [codec, value] of values) {
    const target = key("/a", { codec: codec as typeof json });
    const data = encoded(target, value) as Uint8Array;
    const read = decoded(target, data);
    t.deepEqual(read, value, codec.name);
  }
});

test("what a znode without data means is for its codec to say", (t) => {
  t.is(decoded(key("/a", { codec: text }), null), "");
  t.is(decoded(key("/a", { codec: bytes }), null), null);
  for (const codec of [json, cbor]) {
    t.throws(() => decoded(key("/a", { codec }), null), { instanceOf: InvalidValueError });
  }
});

test("a schema of zod or valibot types what is read, and its defaults are made when it is read", (t) => {
  const withZod = key("/a", {
    schema: z.object({ perSecond: z.number(), burst: z.number().default(3) }),
  });
  const stored = encoded(withZod, { perSecond: 1 }) as Uint8Array;
  t.is(new TextDecoder().decode(stored), '{"perSecond":1}');
  t.deepEqual(decoded(withZod, stored), { perSecond: 1, burst: 3 });
  const withValibot = key("/a", { schema: v.object({ name: v.pipe(v.string(), v.minLength(2)) }) });
  t.deepEqual(decoded(withValibot, utf8('{"name":"ada"}')), { name: "ada" });
});

test("an invalid value is an error that says where, for what is given and for what is stored", (t) => {
  const Users = key("/users", {
    schema: v.object({ users: v.array(v.object({ age: v.number() })) }),
  });
  const given = t.throws(() => encoded(Users, { users: [{ age: 1 }, { age: "2" }] }), {
    instanceOf: InvalidValueError,
  });
  t.like(given, {
    code: "ZOOID_INVALID_VALUE",
    path: "/users",
    which: "given",
    maybeApplied: "no",
  });
  t.deepEqual(given.issues[0]?.path, ["users", 1, "age"]);
  t.regex(given.message, /users\.1\.age: /);
  const stored = t.throws(() => decoded(Users, utf8('{"users":1}')), {
    instanceOf: InvalidValueError,
  });
  t.is(stored.which, "stored");
  const broken = t.throws(() => decoded(Users, utf8("{")), { instanceOf: InvalidValueError });
  t.regex(broken.message, /json: /);
  t.throws(() => encoded(key("/a", { codec: json }), undefined), { instanceOf: InvalidValueError });
  t.throws(() => decoded(key("/a", { codec: text }), new Uint8Array([0xff])), {
    instanceOf: InvalidValueError,
  });
});

test("a schema may take its time", async (t) => {
  const Slow = key("/a", {
    schema: v.pipeAsync(
      v.number(),
      v.checkAsync(async (n) => n > 1, "too small"),
    ),
  });
  t.deepEqual(await encoded(Slow, 2), utf8("2"));
  t.is(await decoded(Slow, utf8("3")), 3);
  await t.throwsAsync(Promise.resolve(encoded(Slow, 1)), { message: /too small/ });
  await t.throwsAsync(Promise.resolve(decoded(Slow, utf8("1"))), { instanceOf: InvalidValueError });
});

test("a key is of a path, and so are those below it", (t) => {
  t.throws(() => key("a", { codec: text }), { instanceOf: BadArgumentsError });
  const Users = key("/users", { codec: text });
  t.is(Users.at("ada").path, "/users/ada");
  t.is(key("/", { codec: text }).at("ada").path, "/ada");
  t.throws(() => Users.at(""), { instanceOf: BadArgumentsError });
  t.is(decoded(Users.at("ada"), utf8("x")), "x");
});
