/** Many messages as one piece of NATS' protocol. */
import test from "ava";
import { encodeOffered } from "../../../runtime/nats/offered.ts";

const NO_LIMITS = { eachMax: 1000, allMax: 1000 };

function encoded(
  messages: Parameters<typeof encodeOffered>[0],
  limits = NO_LIMITS,
): { readonly text: string; readonly payloadBytes: number; readonly dropped: number } {
  const { bytes, ...rest } = encodeOffered(messages, limits);
  return { text: new TextDecoder().decode(bytes), ...rest };
}

test("each message has its subject and its length in bytes, one behind the other", (t) => {
  const plain = [
    { subject: "a.b", text: "one" },
    { subject: "c", text: "" },
  ];
  const text = "PUB a.b 3\r\none\r\nPUB c 0\r\n\r\n";
  t.deepEqual(encoded(plain), { text, payloadBytes: 3, dropped: 0 });
  const wide = [...plain, { subject: "d", text: "é 😀" }];
  const more = "PUB d 7\r\né 😀\r\n";
  t.deepEqual(encoded(wide), { text: text + more, payloadBytes: 10, dropped: 0 });
  t.deepEqual(encoded([]), { text: "", payloadBytes: 0, dropped: 0 });
});

test("a message that is too long is left out, and one that would be too much with the others, by their bytes", (t) => {
  const messages = ["aa", "ééé", "bb", "cc"].map((text) => ({ subject: "s", text }));
  t.deepEqual(encoded(messages, { eachMax: 5, allMax: 5 }), {
    text: "PUB s 2\r\naa\r\nPUB s 2\r\nbb\r\n",
    payloadBytes: 4,
    dropped: 2,
  });
  t.is(encoded(messages.slice(0, 2), { eachMax: 6, allMax: 8 }).dropped, 0);
  t.is(encoded(messages.slice(0, 2), { eachMax: 6, allMax: 7 }).dropped, 1);
});
