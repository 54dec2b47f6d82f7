/** How the pages of the past say what was: places of zxids on a slider, changes in words, values beside each other. */
import test from "ava";
import {
  causeText,
  comparable,
  differenceText,
  excerptOf,
  topsOf,
} from "../../../dashboard/src/format/changes.ts";
import {
  lastPlace,
  placeOf,
  zxidAtPlace,
  zxidBefore,
  zxidOf,
} from "../../../dashboard/src/format/zxids.ts";

/** The last zxids of two epochs, without all of the first. */
const EPOCHS = [
  { from: "0x100000008", to: "0x10000000a" },
  { from: "0x300000001", to: "0x300000003" },
];

test("a slider has one place for each zxid that there is, and none between two epochs", (t) => {
  const all = ["0x100000008", "0x100000009", "0x10000000a", "0x300000001", "0x300000002"];
  t.is(lastPlace(EPOCHS), 5);
  for (const [place, zxid] of all.entries()) {
    t.is(zxidAtPlace(EPOCHS, place), zxid);
    t.is(placeOf(EPOCHS, zxid), place);
  }
  t.is(zxidAtPlace(EPOCHS, 99), "0x300000003");
});

test("a zxid that there is not has the place of the last one before it", (t) => {
  t.is(placeOf(EPOCHS, "0x100000001"), 0);
  t.is(placeOf(EPOCHS, "0x200000000"), 2);
  t.is(placeOf(EPOCHS, "0xff00000000"), 5);
  t.is(placeOf([], "0x1"), 0);
  t.is(lastPlace([]), 0);
});

test("a zxid is read as people write it, and what is none is not", (t) => {
  t.is(zxidOf(" 0X10000000A "), "0x10000000a");
  t.is(zxidOf("266"), "0x10a");
  for (const text of ["", "0x", "yesterday", "-1", "1e3", `0x${"f".repeat(15)}`]) {
    t.is(zxidOf(text), undefined, text);
  }
  t.is(zxidBefore("0x300000000"), "0x2ffffffff");
  t.is(zxidBefore("0x0"), "0x0");
});

test("who did it is said as far as it is known, with no sign that is not seen", (t) => {
  const by = { operation: "multi", session: "0x1", address: "10.0.0.9", node: 2 };
  const identities = [{ scheme: "digest", id: "deploy:x" }];
  const text = "by multi of session 0x1 from 10.0.0.9 as digest:deploy through node 2";
  t.is(causeText({ ...by, identities }), text);
  const none = { session: null, address: null, identities: [], node: null };
  t.is(causeText({ operation: "expireSession", ...none }), "by expireSession");
  const turned = [{ scheme: "x509", id: "CN=\u202Enimda" }];
  t.false(causeText({ ...by, identities: turned }).includes("\u202E"));
});

test("a difference says what of a znode is another", (t) => {
  t.is(differenceText({ kind: "deleted", what: [] }), "deleted");
  const changed = differenceText({ kind: "changed", what: ["data", "acl"] });
  t.is(changed, "changed: value, list of access");
});

test("two values are compared as texts, and as bytes where one of them is none", (t) => {
  const text = { base64: btoa("a"), text: "a" };
  const raw = { base64: btoa("\xff"), text: null };
  t.deepEqual(comparable(text, undefined), ["a", ""]);
  t.deepEqual(comparable({ base64: null, text: null }, text), ["", "a"]);
  const [one, other] = comparable(text, raw);
  t.regex(one, /^00000000 {2}61 /);
  t.regex(other, /^00000000 {2}ff /);
});

test("a value in a list is short, and on one line", (t) => {
  t.is(excerptOf(undefined), "");
  t.is(excerptOf(null), "null");
  t.is(excerptOf(btoa("one\ntwo")), "one␊two");
  t.is(excerptOf(btoa("\xff\x00")), "bytes ff00");
  t.is(excerptOf(btoa("x".repeat(100))).length, 81);
});

test("what is brought back at once is what nothing above was deleted with", (t) => {
  const paths = ["/a", "/a/b", "/a/b/c", "/ab", "/x/y", "/x/y/z"];
  t.deepEqual([...topsOf(paths)], ["/a", "/ab", "/x/y"]);
});
