/** How the dashboard shows what it is told: differences, numbers, values, events and paths. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import test from "ava";
import { around, type DiffLine, linesOf } from "../../../dashboard/src/format/diff.ts";
import { parseEvents } from "../../../dashboard/src/format/events.ts";
import {
  bytes,
  counted,
  duration,
  lagBehind,
  later,
  milliseconds,
  zxidInWords,
} from "../../../dashboard/src/format/numbers.ts";
import { childOf, lineageOf, nameOf, parentOf } from "../../../dashboard/src/format/paths.ts";
import {
  bytesOf,
  hexDump,
  isGzip,
  lineEnds,
  permissionsInWords,
  prettyJson,
  visible,
  visibleLines,
} from "../../../dashboard/src/format/values.ts";

function textsOf(lines: readonly DiffLine[], without: DiffLine["kind"]): readonly string[] {
  return lines.filter(({ kind }) => kind !== without).map(({ text }) => text);
}

function splitLines(text: string): readonly string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

test("a difference has all lines of both texts, in their order", (t) => {
  const text = fc.array(fc.constantFrom("a", "b", "", "c d")).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = linesOf(before, after);
      t.deepEqual(textsOf(lines, "added"), splitLines(before));
      t.deepEqual(textsOf(lines, "removed"), splitLines(after));
    }),
  );
  t.deepEqual(linesOf("one\ntwo\n", "one\n2\n"), [
    { kind: "same", text: "one" },
    { kind: "removed", text: "two" },
    { kind: "added", text: "2" },
  ]);
});

test("two texts that have little in common are shown one after the other", (t) => {
  const lines = (from: string): string =>
    Array.from({ length: 3000 }, (_, index) => `${from}${index}`).join("\n");
  const found = linesOf(lines("a"), lines("b"));
  t.deepEqual([found.length, found[0]?.kind, found.at(-1)?.kind], [6000, "removed", "added"]);
});

test("of lines that are the same only those near a change are shown", (t) => {
  const before = Array.from({ length: 20 }, (_, index) => String(index));
  const after = before.with(10, "ten");
  const { lines, unshown } = around(linesOf(before.join("\n"), after.join("\n")));
  t.is(lines[0], null);
  t.is(lines.at(-1), null);
  const texts = lines.flatMap((line) => line?.text ?? []);
  t.deepEqual(texts, ["7", "8", "9", "10", "ten", "11", "12", "13"]);
  t.is(unshown, 0);
});

test("of a large difference some of each kind is shown, and how much is not is counted", (t) => {
  const removed = Array.from({ length: 3000 }, (_, index) => `a${index}`).join("\n");
  const added = Array.from({ length: 1500 }, (_, index) => `b${index}`).join("\n");
  const { lines, unshown } = around(linesOf(removed, added));
  const some = lines.filter((line) => line !== null);
  const countOf = (kind: DiffLine["kind"]): number =>
    some.filter((line) => line.kind === kind).length;
  t.deepEqual([countOf("removed"), countOf("added"), unshown], [1000, 1000, 2500]);
});

test("events come in pieces, and comments are none", (t) => {
  const first = parseEvents(': open\n\nevent: summary\nid: 0x1\ndata: {"a":1}\n\nevent: pro');
  t.deepEqual(first.events, [{ name: "summary", id: "0x1", data: '{"a":1}' }]);
  const second = parseEvents(`${first.rest}gress\ndata: {}\n\n`);
  t.deepEqual(second, { events: [{ name: "progress", id: undefined, data: "{}" }], rest: "" });
});

test("numbers are in words", (t) => {
  t.deepEqual([0, 1023, 1024, 15_000_000].map(bytes), ["0 B", "1023 B", "1.0 KiB", "14 MiB"]);
  t.deepEqual([counted(1, "znode"), counted(1234, "znode")], ["1 znode", "1,234 znodes"]);
  t.deepEqual(
    [1, 2].map((count) => counted(count, "child", "children")),
    ["1 child", "2 children"],
  );
  t.deepEqual([0, 61_000, 90_061_000].map(duration), ["0 s", "1 min 1 s", "1 d 1 h"]);
  t.deepEqual([milliseconds(0.256), milliseconds(1234.5)], ["0.26 ms", "1,235 ms"]);
  t.deepEqual([bytes(null), duration(null), milliseconds(undefined)], ["–", "–", "–"]);
  t.is(zxidInWords("0x20000000a"), "epoch 2, number 10");
});

test("a lag is of one epoch, and the later zxid counts", (t) => {
  t.is(lagBehind("0x100000005", "0x100000002"), 3);
  t.is(lagBehind("0x200000001", "0x1ffffffff"), undefined);
  t.is(lagBehind("0x200000001", null), undefined);
  t.is(later("0x9", "0x10"), "0x10");
  t.is(later(null, "0x1"), "0x1");
});

test("a value is shown as bytes, as JSON, and without signs that are not seen", (t) => {
  const all = bytesOf(Buffer.from("zooid: \u0000\u00ff, and more").toString("base64"));
  t.deepEqual(hexDump(all).split("\n"), [
    "00000000  7a 6f 6f 69 64 3a 20 00 c3 bf 2c 20 61 6e 64 20  zooid: ..., and ",
    `00000010  6d 6f 72 65${" ".repeat(38)}more`,
  ]);
  t.is(prettyJson('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  t.deepEqual(
    [prettyJson("plain"), prettyJson("{no"), prettyJson("")],
    [undefined, undefined, undefined],
  );
  t.is(visible("a\u0000b\u202ec\u007f"), "a\u2400b\\u202ec\u2421");
  t.is(visibleLines("a\tb\n\u0007"), "a\tb\n\u2407");
  t.deepEqual([isGzip(gzipSync("x")), isGzip(all)], [true, false]);
});

test("how lines end is known, since a field of the browser would change it", (t) => {
  const ends = ["", "a\nb", "a\r\nb\r\n", "a\r\nb\n", "a\rb", "a\r\r\n"].map(lineEnds);
  t.deepEqual(ends, ["lf", "lf", "crlf", "mixed", "mixed", "mixed"]);
});

test("permissions are in words", (t) => {
  t.deepEqual([31, 1, 0, 18].map(permissionsInWords), [
    "everything",
    "read",
    "nothing",
    "write, admin",
  ]);
});

test("paths lead up and down", (t) => {
  t.deepEqual([parentOf("/a/b"), parentOf("/a"), parentOf("/")], ["/a", "/", "/"]);
  t.deepEqual([childOf("/", "a"), childOf("/a", "b")], ["/a", "/a/b"]);
  t.deepEqual([nameOf("/a/b"), nameOf("/")], ["b", "/"]);
  t.deepEqual(lineageOf("/a/b"), ["/", "/a", "/a/b"]);
});
