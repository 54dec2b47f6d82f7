/** Watches that stay: persistent and recursive ones, their removal, and how they are set again on a new connection. */
import type { Scenario } from "../../support/conformance.ts";
import {
  addWatch,
  checkWatches,
  create,
  exists,
  getChildren,
  getData,
  Mode,
  multi,
  remove,
  removeWatches,
  setData,
  setWatches2,
} from "../../support/zk-operations.ts";

const PERSISTENT = 0;
const RECURSIVE = 1;
const CHILDREN = 1;
const DATA = 2;
const ANY = 3;

export const stayingWatchScenarios: Readonly<Record<string, Scenario>> = {
  "a persistent watch hears of its znode and of its children, again and again": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(a, addWatch("/stays", PERSISTENT));
    await stage.steps(
      b,
      create("/stays", "0"),
      setData("/stays", "1"),
      setData("/stays", "2"),
      create("/stays/child", "0"),
      setData("/stays/child", "1"),
      create("/stays/child/deeper"),
      remove("/stays/child/deeper"),
      remove("/stays/child"),
      remove("/stays"),
      create("/stays", "again"),
      remove("/stays"),
    );
    await a.events(8);
    await a.barrier();
  },

  "a recursive watch hears of all znodes from its own on, and of no children": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(a, addWatch("/deep", RECURSIVE));
    await stage.steps(
      b,
      create("/deep", "0"),
      create("/deeper", "0"),
      create("/deep/a", "0"),
      create("/deep/a/b", "0"),
      setData("/deep/a/b", "1"),
      setData("/deep", "1"),
      multi(create("/deep/c"), setData("/deep/a", "2"), remove("/deep/a/b")),
      create("/deep/e", "", { mode: Mode.ephemeral }),
    );
    await b.close();
    const c = await stage.connect("c");
    await stage.steps(c, remove("/deep/a"), remove("/deep/c"), remove("/deep"), remove("/deeper"));
    await a.events(13);
    await a.barrier();
  },

  "a recursive watch of the root hears of everything": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      addWatch("/", RECURSIVE),
      create("/one"),
      create("/one/two"),
      setData("/", "root"),
      remove("/one/two"),
      remove("/one"),
    );
    await a.barrier();
  },

  "whoever watches in several ways gets one event, the one-shot watch goes, the others stay":
    async (stage) => {
      const a = await stage.connect("a");
      await stage.steps(
        a,
        create("/many"),
        create("/many/below"),
        addWatch("/many", PERSISTENT),
        addWatch("/", RECURSIVE),
        exists("/many/below", true),
        setData("/many/below", "1"),
        setData("/many/below", "2"),
        setData("/many", "1"),
        remove("/many/below"),
        remove("/many"),
      );
      await a.barrier();
    },

  "a watch is asked about and removed": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/asked", "0"),
      checkWatches("/asked", ANY),
      removeWatches("/asked", ANY),
      getData("/asked", true),
      checkWatches("/asked", DATA),
      checkWatches("/asked", CHILDREN),
      checkWatches("/asked", ANY),
      removeWatches("/asked", CHILDREN),
      removeWatches("/asked", DATA),
      removeWatches("/asked", DATA),
      setData("/asked", "1"),
      getChildren("/asked", true),
      removeWatches("/asked", CHILDREN),
      create("/asked/child"),
      addWatch("/asked", PERSISTENT),
      setData("/asked", "2"),
      removeWatches("/asked", ANY),
      checkWatches("/asked", ANY),
      setData("/asked", "3"),
      addWatch("/asked", RECURSIVE),
      setData("/asked/child", "4"),
      removeWatches("/asked", ANY),
      setData("/asked/child", "5"),
      removeWatches("/nowhere", ANY),
      checkWatches("/nowhere", DATA),
    );
    await a.barrier();
  },

  "modes and types that there are not": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      addWatch("/a", 2),
      addWatch("/a", -1),
      removeWatches("/a", 0),
      checkWatches("/a", 17),
      addWatch("", PERSISTENT),
      addWatch("no/path", RECURSIVE),
      removeWatches("no/path", ANY),
    );
  },

  "watches that stay are set again on a new connection": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(b, create("/again", "0"), create("/again/child", "0"));
    await stage.steps(
      a,
      setWatches2(2n ** 62n, { persistent: ["/again"], recursive: ["/again/child"] }),
    );
    await stage.steps(
      b,
      setData("/again", "1"),
      setData("/again/child", "1"),
      create("/again/child/deeper"),
      setData("/again", "2"),
    );
    await a.events(4);
    await stage.steps(b, remove("/again/child/deeper"), remove("/again/child"), remove("/again"));
    await a.events(8);
    await a.barrier();
  },
};
