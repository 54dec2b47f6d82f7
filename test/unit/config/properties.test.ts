/** Java's properties format, as java.util.Properties.load documents it. */
import test from "ava";
import { readProperties } from "../../../server/config/properties.ts";

function pairs(text: string): readonly (readonly [string, string])[] {
  return readProperties(text).map(({ key, value }) => [key, value] as const);
}

test("a key ends at =, : or white space", (t) => {
  t.deepEqual(pairs("a=1\nb:2\nc 3\nd = 4\ne\t:\t5"), [
    ["a", "1"],
    ["b", "2"],
    ["c", "3"],
    ["d", "4"],
    ["e", "5"],
  ]);
});

test("only the first separator separates", (t) => {
  t.deepEqual(pairs("server.1=host:2888:3888\nurl nats://a:1=x"), [
    ["server.1", "host:2888:3888"],
    ["url", "nats://a:1=x"],
  ]);
});

test("comments and empty lines are no properties", (t) => {
  t.deepEqual(pairs("# a=1\n\n   ! b=2\n \t \n  c=3"), [["c", "3"]]);
});

test("a # within a value belongs to it", (t) => {
  t.deepEqual(pairs("a=1 # two"), [["a", "1 # two"]]);
});

test("a backslash at the end joins the next line without its indent", (t) => {
  t.deepEqual(pairs("list=a,\\\n    b,\\\n    c\nnext=1"), [
    ["list", "a,b,c"],
    ["next", "1"],
  ]);
});

test("two backslashes at the end are one backslash and no continuation", (t) => {
  t.deepEqual(pairs("a=x\\\\\nb=2"), [
    ["a", "x\\"],
    ["b", "2"],
  ]);
});

test("escapes in keys and values are read", (t) => {
  t.deepEqual(pairs("a\\=b\\ c=\\u0041\\tz"), [["a=b c", "A\tz"]]);
});

test("the line is the one a property begins on", (t) => {
  const found = readProperties("# one\na=1\nb=x\\\ny\nc=3");
  t.deepEqual(
    found.map((property) => property.line),
    [2, 3, 5],
  );
});

test("white space around a value and line ends of Windows go", (t) => {
  t.deepEqual(pairs("a=1  \r\nb=2\t\r\n"), [
    ["a", "1"],
    ["b", "2"],
  ]);
});

test("a key without a value has an empty one", (t) => {
  t.deepEqual(pairs("a\nb="), [
    ["a", ""],
    ["b", ""],
  ]);
});
