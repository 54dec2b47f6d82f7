/** What a gateway believes about the leader: which sessions it counts, and from when. */
import test from "ava";
import { newContact, takeHeard, tellTouched } from "../../../actors/gateway/contact.ts";
import type { SessionId } from "../../../protocol/ids.ts";

const [ONE, OTHER] = [7 as SessionId, 8 as SessionId];

test("touches that were lost on their way do not count with later ones", (t) => {
  const contact = newContact();
  for (const [session, atMs] of [
    [ONE, 100],
    [OTHER, 200],
  ] as const) {
    contact.touched.add(session);
    tellTouched(contact, "zookeeper/1", atMs);
  }
  const heard: [SessionId, number][] = [];
  const untilMs = takeHeard(contact, [2], (session, atMs) => heard.push([session, atMs]));
  t.deepEqual(heard, [[OTHER, 200]]);
  t.is(untilMs, 200);
  takeHeard(contact, [1], (session, atMs) => heard.push([session, atMs]));
  t.is(heard.length, 1, "turns reach the leader in order: it cannot come any more");
});
