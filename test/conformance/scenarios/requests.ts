/** What holds for requests of any kind: order, pings, bodies that cannot be read, operations that do not exist. */
import type { Scenario } from "../../support/conformance.ts";
import {
  create,
  exists,
  getChildren,
  getData,
  Mode,
  multi,
  ping,
  remove,
  setData,
  sync,
  unknown,
  type Operation,
} from "../../support/zookeeper-client/operations.ts";

/** The operation with another body. What becomes of it takes a zxid on some servers only, so none is shown. */
function withBody(operation: Operation, label: string, body: Buffer): Operation {
  return { ...operation, label, body, write: false };
}

export const requestScenarios: Readonly<Record<string, Scenario>> = {
  "replies come in the order of the requests, and a read sees the writes sent before it": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    const operations: Operation[] = [create("/order", "0")];
    for (let index = 1; index <= 40; index += 1) {
      operations.push(setData("/order", String(index)), getData("/order"));
      operations.push(create(`/order/${index}`), getChildren("/order"));
      if (index % 4 === 0) operations.push(remove(`/order/${index}`), exists(`/order/${index}`));
      if (index % 5 === 0) operations.push(sync("/order"), ping());
      if (index % 7 === 0) operations.push(create("/order", "again"), setData("/order", "x", 0));
      if (index % 9 === 0) operations.push(multi(remove("/order/1"), remove("/absent")));
    }
    await a.pipeline(operations);
  },

  "two clients that write at once each see their own order": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await a.request(create("/both"));
    const own = (name: string): Operation[] =>
      Array.from({ length: 30 }, (_, index) => create(`/both/${name}${index}`));
    const [fromA, fromB] = await Promise.all([a.pipeline(own("a")), b.pipeline(own("b"))]);
    for (const replies of [fromA, fromB]) {
      const rising = replies.every((reply, index) => reply.zxid > (replies[index - 1]?.zxid ?? 0n));
      stage.note(`the zxids ${rising ? "rise" : "do not rise"}`);
    }
    // How the two interleave is not the server's to repeat: only what each saw is compared.
    a.received.length = 0;
    b.received.length = 0;
    await stage.steps(a, getChildren("/both"));
  },

  "a ping is answered, between other requests too": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(a, ping(), create("/ping"), ping());
    await a.pipeline([ping(), exists("/ping"), ping(), sync("/"), ping()]);
  },

  "a request whose body cannot be read is answered so, and the connection goes on": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    const none = Buffer.alloc(0);
    const tooLong = Buffer.from("7fffffff", "hex");
    await stage.steps(
      a,
      create("/unread"),
      withBody(create("/"), "create without a body", none),
      withBody(create("/"), "create cut short", create("/unread/a").body.subarray(0, 12)),
      withBody(create("/"), "create of an endless path", tooLong),
      withBody(exists("/"), "exists without a body", none),
      withBody(exists("/"), "exists of an endless path", tooLong),
      withBody(setData("/", ""), "setData cut short", setData("/unread", "x").body.subarray(0, 13)),
      withBody(remove("/"), "delete without a body", none),
      withBody(multi(), "multi without a body", none),
      withBody(multi(), "multi without an end", multi(create("/unread/b")).body.subarray(0, -9)),
      withBody(getChildren("/"), "getChildren without a body", none),
      exists("/unread"),
      getChildren("/unread"),
    );
  },

  "bytes after the body of a request are passed over": async (stage) => {
    const a = await stage.connect("a");
    const extra = Buffer.from("more");
    const longer = (operation: Operation): Operation => ({
      ...operation,
      body: Buffer.concat([operation.body, extra]),
    });
    await stage.steps(
      a,
      longer(create("/longer", "x")),
      longer(getData("/longer")),
      longer(ping()),
    );
  },

  "an operation that does not exist is answered with Unimplemented": async (stage) => {
    // Apache ZooKeeper closes the connection after that answer; only the answer is compared.
    for (const type of [77, 200, 0, -2]) {
      const name = `type ${type}`;
      const client = await stage.connect(name);
      await client.request(unknown(type));
      await client.cut();
      client.received.length = 1;
    }
  },

  "data of half a megabyte is stored and read back": async (stage) => {
    const a = await stage.connect("a");
    const large = Buffer.alloc(512 * 1024, "large");
    const { length } = large;
    await stage.steps(a, create("/large", large), getData("/large"), exists("/large"));
    await a.pipeline([setData("/large", large), getData("/large"), setData("/large", "small")]);
    await stage.steps(a, getData("/large"), create("/large/e", "", { mode: Mode.ephemeral }));
    stage.note(`${length} bytes`);
  },
};
