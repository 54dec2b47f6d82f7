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
} from "../../support/zookeeper-client/operations.ts";

const PERSISTENT = 0;
const RECURSIVE = 1;
const CHILDREN = 1;
const DATA = 2;
const ANY = 3;

export const stayingWatchScenarios: Readonly<Record<string, Scenario>> = {
  "a persistent watch hears of its znode and of its children, again and again": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(a, addWatch("/staying-stays", PERSISTENT));
    await stage.steps(
      b,
      create("/staying-stays", "0"),
      setData("/staying-stays", "1"),
      setData("/staying-stays", "2"),
      create("/staying-stays/child", "0"),
      setData("/staying-stays/child", "1"),
      create("/staying-stays/child/deeper"),
      remove("/staying-stays/child/deeper"),
      remove("/staying-stays/child"),
      remove("/staying-stays"),
      create("/staying-stays", "again"),
      remove("/staying-stays"),
    );
    await a.events(8);
    await a.barrier();
  },

  "a recursive watch hears of all znodes from its own on, and of no children": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(a, addWatch("/staying-deep", RECURSIVE));
    await stage.steps(
      b,
      create("/staying-deep", "0"),
      create("/staying-deeper", "0"),
      create("/staying-deep/a", "0"),
      create("/staying-deep/a/b", "0"),
      setData("/staying-deep/a/b", "1"),
      setData("/staying-deep", "1"),
      multi(
        create("/staying-deep/c"),
        setData("/staying-deep/a", "2"),
        remove("/staying-deep/a/b"),
      ),
      create("/staying-deep/e", "", { mode: Mode.ephemeral }),
    );
    await b.close();
    const c = await stage.connect("c");
    await stage.steps(
      c,
      remove("/staying-deep/a"),
      remove("/staying-deep/c"),
      remove("/staying-deep"),
      remove("/staying-deeper"),
    );
    await a.events(13);
    await a.barrier();
  },

  "a recursive watch of the root hears of everything": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      addWatch("/", RECURSIVE),
      create("/staying-one"),
      create("/staying-one/two"),
      setData("/", "root"),
      remove("/staying-one/two"),
      remove("/staying-one"),
    );
    await a.barrier();
  },

  "whoever watches in several ways gets one event, the one-shot watch goes, the others stay":
    async (stage) => {
      const a = await stage.connect("a");
      await stage.steps(
        a,
        create("/staying-several"),
        create("/staying-several/below"),
        addWatch("/staying-several", PERSISTENT),
        addWatch("/", RECURSIVE),
        exists("/staying-several/below", true),
        setData("/staying-several/below", "1"),
        setData("/staying-several/below", "2"),
        setData("/staying-several", "1"),
        remove("/staying-several/below"),
        remove("/staying-several"),
      );
      await a.barrier();
    },

  "a watch is asked about and removed": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/staying-asked", "0"),
      checkWatches("/staying-asked", ANY),
      removeWatches("/staying-asked", ANY),
      getData("/staying-asked", true),
      checkWatches("/staying-asked", DATA),
      checkWatches("/staying-asked", CHILDREN),
      checkWatches("/staying-asked", ANY),
      removeWatches("/staying-asked", CHILDREN),
      removeWatches("/staying-asked", DATA),
      removeWatches("/staying-asked", DATA),
      setData("/staying-asked", "1"),
      getChildren("/staying-asked", true),
      removeWatches("/staying-asked", CHILDREN),
      create("/staying-asked/child"),
      addWatch("/staying-asked", PERSISTENT),
      setData("/staying-asked", "2"),
      removeWatches("/staying-asked", ANY),
      checkWatches("/staying-asked", ANY),
      setData("/staying-asked", "3"),
      addWatch("/staying-asked", RECURSIVE),
      setData("/staying-asked/child", "4"),
      removeWatches("/staying-asked", ANY),
      setData("/staying-asked/child", "5"),
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
    await stage.steps(b, create("/staying-again", "0"), create("/staying-again/child", "0"));
    await stage.steps(
      a,
      setWatches2(2n ** 62n, {
        persistent: ["/staying-again"],
        recursive: ["/staying-again/child"],
      }),
    );
    await stage.steps(
      b,
      setData("/staying-again", "1"),
      setData("/staying-again/child", "1"),
      create("/staying-again/child/deeper"),
      setData("/staying-again", "2"),
    );
    await a.events(4);
    await stage.steps(
      b,
      remove("/staying-again/child/deeper"),
      remove("/staying-again/child"),
      remove("/staying-again"),
    );
    await a.events(8);
    await a.barrier();
  },
};
