/** Text that is not UTF-8 is read as Java reads it. The pairs are what ZooKeeper 3.8 on Java 17 answers to a sync. */
import test from "ava";
import { javaText } from "../../../protocol/java-text.ts";
import { JuteReader } from "../../../protocol/jute.ts";

const CASES: readonly (readonly [hex: string, text: string])[] = [
  ["61c328", "a\ufffd("],
  ["c3", "\ufffd"],
  ["c080", "\ufffd\ufffd"],
  ["e282", "\ufffd"],
  ["e2822f", "\ufffd/"],
  ["e228a1", "\ufffd(\ufffd"],
  ["e08080", "\ufffd\ufffd\ufffd"],
  ["eda080", "\ufffd"],
  ["eda0bdedb09a", "\ufffd\ufffd"],
  ["f09f90", "\ufffd"],
  ["f09f28", "\ufffd("],
  ["f09f9028", "\ufffd("],
  ["f0808080", "\ufffd\ufffd\ufffd\ufffd"],
  ["f4908080", "\ufffd\ufffd\ufffd\ufffd"],
  ["f5808080", "\ufffd\ufffd\ufffd\ufffd"],
  ["8080", "\ufffd\ufffd"],
  ["c3bcff", "\u00fc\ufffd"],
  ["f09f909aff", "\u{1f41a}\ufffd"],
  ["efbbbfff", "\ufeff\ufffd"],
];

for (const [hex, text] of CASES) {
  test(`the bytes ${hex} are read as ${JSON.stringify(text)}`, (t) => {
    const bytes = Buffer.from(`00${hex}00`, "hex");
    t.is(javaText(bytes, 1, bytes.length - 1), text);
  });
}

test("a string that is not UTF-8 is no fault, and what follows it is read", (t) => {
  const reader = new JuteReader().reset(Buffer.from("00000002c32800000007", "hex"));
  t.is(reader.string(), "\ufffd(");
  t.is(reader.int32(), 7);
  t.is(reader.fault, undefined);
});
