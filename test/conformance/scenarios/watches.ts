/** One-shot watches: which event, once, and in which order with the replies. */
import type { Scenario } from "../../support/conformance.ts";
import {
  create,
  exists,
  getAcl,
  getChildren,
  getChildren2,
  getData,
  Mode,
  multi,
  OPEN,
  remove,
  setAcl,
  setData,
} from "../../support/zookeeper-client/operations.ts";

export const watchScenarios: Readonly<Record<string, Scenario>> = {
  "the watcher's own change: the event comes before the reply, and once": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/own", "0"),
      getData("/own", true),
      setData("/own", "1"),
      setData("/own", "2"),
      exists("/own", true),
      setData("/own", "3"),
      setData("/own", "4"),
      getChildren("/own", true),
      create("/own/child"),
      create("/own/other"),
      getChildren2("/own", true),
      remove("/own/other"),
      remove("/own/child"),
    );
  },

  "another's change: one event, and none for the change after it": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, create("/other", "0"));
    await stage.steps(a, getData("/other", true), getChildren("/other", true));
    await stage.steps(b, setData("/other", "1"), setData("/other", "2"), create("/other/child"));
    await a.events(2);
    await stage.steps(b, remove("/other/child"), remove("/other"));
    await a.barrier();
  },

  "a watch set by exists on an absent node sees it created, then deleted": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(
      a,
      exists("/absent", true),
      exists("/absent", true),
      getData("/absent", true),
    );
    await stage.steps(b, create("/absent"));
    await a.events(1);
    await stage.steps(a, exists("/absent", true));
    await stage.steps(b, remove("/absent"));
    await a.events(2);
    await stage.steps(b, create("/absent"), remove("/absent"));
    await a.barrier();
  },

  "a read that fails sets no watch, but for exists": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(
      a,
      getData("/nothing", true),
      getChildren("/nothing", true),
      getChildren2("/nothing", true),
    );
    await stage.steps(b, create("/nothing"), setData("/nothing", "x"), create("/nothing/child"));
    await stage.steps(b, remove("/nothing/child"), remove("/nothing"));
    await a.barrier();
  },

  "deletion reaches a watcher of data, existence and children of one node": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, create("/gone"), create("/gone/child"));
    await stage.steps(
      a,
      getData("/gone/child", true),
      exists("/gone/child", true),
      getChildren("/gone/child", true),
      getChildren("/gone", true),
    );
    await stage.steps(b, remove("/gone/child"));
    await a.events(2);
    await a.barrier();
    await stage.steps(a, getChildren("/gone", true));
    await stage.steps(b, remove("/gone"));
    await a.events(3);
    await a.barrier();
  },

  "a watch is not fired by a change of another kind": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, create("/kind"), create("/kind/child"));
    await stage.steps(a, getChildren("/kind", true));
    await stage.steps(b, setData("/kind", "x"), setData("/kind/child", "x"), setAcl("/kind", OPEN));
    await stage.steps(b, create("/kind/child/grandchild"), getAcl("/kind"));
    await a.barrier();
    await stage.steps(a, getData("/kind/child", true));
    await stage.steps(b, create("/kind/child/other"), remove("/kind/child/grandchild"));
    await stage.steps(b, setAcl("/kind/child", OPEN), setData("/kind", "y"));
    await a.barrier();
    await stage.steps(b, setData("/kind/child", "z"), create("/kind/second"));
    await a.events(2);
    await a.barrier();
  },

  "a write that fails fires no watch": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, create("/failed"), create("/failed/child"));
    await stage.steps(
      a,
      getData("/failed", true),
      getChildren("/failed", true),
      exists("/failed/new", true),
    );
    await stage.steps(
      b,
      setData("/failed", "x", 9),
      remove("/failed"),
      create("/failed"),
      multi(setData("/failed", "x"), create("/failed/new"), remove("/nowhere")),
    );
    await a.barrier();
  },

  "a multi fires the watches of each of its operations in their order": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, create("/many"), create("/many/one"), create("/many/two"));
    await stage.steps(
      a,
      getChildren("/many", true),
      getData("/many/one", true),
      getData("/many/two", true),
      exists("/many/three", true),
    );
    await stage.steps(
      b,
      multi(
        setData("/many/one", "x"),
        setData("/many/two", "x"),
        create("/many/three"),
        remove("/many/one"),
        remove("/many/three"),
      ),
    );
    await a.events(4);
    await a.barrier();
  },

  "each of two watchers gets its event": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    const c = await stage.connect("c");
    await stage.steps(c, create("/two"));
    await stage.steps(a, getData("/two", true), exists("/two", true));
    await stage.steps(b, getData("/two", true));
    await stage.steps(c, setData("/two", "x"));
    await a.events(1);
    await b.events(1);
    await stage.steps(c, setData("/two", "y"));
    await a.barrier();
    await b.barrier();
  },

  "pipelined writes to one's own watched node keep events and replies in order": async (stage) => {
    const a = await stage.connect("a");
    await a.pipeline([
      create("/piped", "0"),
      getData("/piped", true),
      setData("/piped", "1"),
      getData("/piped", true),
      setData("/piped", "2"),
      getChildren("/piped", true),
      create("/piped/child", "", { mode: Mode.ephemeral }),
      exists("/piped/child", true),
      remove("/piped/child"),
      getData("/piped"),
      setData("/piped", "3"),
    ]);
  },

  "a sequential node fires the watch of its real name and of its parent": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, create("/named"));
    await stage.steps(
      a,
      getChildren("/named", true),
      exists("/named/n", true),
      exists("/named/n0000000000", true),
    );
    await stage.steps(b, create("/named/n", "", { mode: Mode.persistentSequential }));
    await a.events(2);
    await a.barrier();
  },

  "the watches of a connection that closes are gone": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, create("/left"));
    await stage.steps(a, getData("/left", true));
    await a.cut();
    const again = await stage.reconnect("a again", a);
    await stage.steps(b, setData("/left", "x"));
    await again.barrier();
  },
};
