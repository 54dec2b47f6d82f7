/** The door of the node's own process for native clients: who is heard, and what goes where. */
import { BroadcastChannel } from "node:worker_threads";
import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { OwnDoor, type OwnMessage, ownInboxes } from "../../../server/threads/own-door.ts";
import type { ClientMessage } from "../../../runtime/nats/client-subjects.ts";

const INBOX = `${ownInboxes("test", "door")}1.1`;

type Bench = {
  readonly door: OwnDoor;
  readonly heard: ClientMessage[];
  /** The first that is heard. */
  readonly hearing: Promise<ClientMessage>;
  readonly say: (bytes: Uint8Array) => void;
  /** What comes to the clients next. */
  readonly next: () => Promise<OwnMessage>;
};

function opened(t: ExecutionContext): Bench {
  const heard: ClientMessage[] = [];
  const name = "door";
  const { promise: hearing, resolve } = Promise.withResolvers<ClientMessage>();
  const onMessage = (message: ClientMessage): void => {
    heard.push(message);
    resolve(message);
  };
  const door = new OwnDoor({ name, ensemble: "test", onMessage });
  const channel = new BroadcastChannel(name);
  t.teardown(() => {
    door.close();
    channel.close();
  });
  const messages = new EventTarget();
  channel.onmessage = (event) => {
    const { data } = event as MessageEvent;
    messages.dispatchEvent(new MessageEvent("said", { data }));
  };
  return {
    door,
    heard,
    hearing,
    say: (bytes) => {
      channel.postMessage({ kind: "asked", subject: "zooid.test.gateway", reply: INBOX, bytes });
    },
    next: async () => {
      const [event] = (await once(messages, "said")) as [MessageEvent];
      return event.data as OwnMessage;
    },
  };
}

test.serial("whoever asks before the node serves hears that nobody is there", async (t) => {
  const { door, heard, hearing, say, next } = opened(t);
  say(Buffer.from("early"));
  t.deepEqual(await next(), { kind: "noResponders", inbox: INBOX });
  t.deepEqual(heard, []);
  door.listen();
  say(Buffer.from("now"));
  const { reply, bytes } = await hearing;
  t.deepEqual([reply, Buffer.from(bytes).toString(), heard.length], [INBOX, "now", 1]);
});

test.serial(
  "what is for these clients goes to nobody else, and what is not for them does",
  async (t) => {
    const { door, next } = opened(t);
    const published: string[] = [];
    const others = {
      publish: (subject: string) => void published.push(subject),
      offer: () => void published.push("offered"),
    };
    const publisher = door.publisherBeside(others);
    const answer = next();
    publisher.publish("zooid.test.client.another.1", Buffer.from("another's"));
    publisher.publish("zooid.test.client.door.1", Buffer.from("of nobody here"));
    publisher.offer([]);
    const view = new Uint8Array(100).fill(7).subarray(0, 3);
    publisher.publish(INBOX, view);
    const got = await answer;
    t.deepEqual(got, { kind: "published", inbox: INBOX, bytes: new Uint8Array(3).fill(7) });
    t.is(got.kind === "published" ? got.bytes.buffer.byteLength : undefined, 3);
    t.deepEqual(published, ["zooid.test.client.another.1", "zooid.test.client.door.1", "offered"]);
  },
);
