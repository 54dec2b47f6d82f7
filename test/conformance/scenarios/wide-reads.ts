/** Reads of more than one node: multiRead, getEphemerals and getAllChildrenNumber. */
import type { Scenario } from "../../support/conformance.ts";
import {
  check,
  create,
  exists,
  getAllChildrenNumber,
  getChildren,
  getChildren2,
  getData,
  getEphemerals,
  Mode,
  multi,
  multiRead,
  remove,
  setData,
  unknown,
} from "../../support/zookeeper-client/operations.ts";

const { ephemeral } = Mode;

export const wideReadScenarios: Readonly<Record<string, Scenario>> = {
  "a multiRead answers each of its reads, whatever becomes of the others": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/wide", "data"),
      create("/wide/a", null),
      create("/wide/b", "b"),
      multiRead(getData("/wide"), getChildren("/wide")),
      multiRead(getData("/wide/absent"), getData("/wide/a"), getChildren("/wide/absent")),
      multiRead(getData("relative"), getChildren(""), getData("/wide/"), getData("/wide/b")),
      multiRead(getData("/wide/b"), getData("/wide/b")),
      multiRead(getChildren("/wide/a")),
      multiRead(),
    );
  },

  "a read of a multiRead leaves no watch": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/still", "data"),
      multiRead(getData("/still", true), getChildren("/still", true)),
      setData("/still", "other"),
      create("/still/child"),
      remove("/still/child"),
    );
    await a.barrier();
  },

  "a multiRead sees the writes before it and none behind": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(a, create("/behind"));
    await a.pipeline([
      setData("/behind", "one"),
      multiRead(getData("/behind"), getChildren("/behind")),
      create("/behind/child"),
      multiRead(getData("/behind"), getChildren("/behind")),
      setData("/behind", "two"),
    ]);
  },

  "reads and writes are not mixed": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/mixed"),
      multi(create("/mixed/a"), getData("/mixed")),
      multi(getData("/mixed"), create("/mixed/a")),
      multiRead(getData("/mixed"), create("/mixed/a")),
      multiRead(getData("/mixed"), check("/mixed", 0)),
      multiRead(getData("/mixed"), exists("/mixed")),
      multiRead(getData("/mixed"), getChildren2("/mixed")),
      multi(create("/mixed/a"), unknown(77)),
      multi(unknown(77)),
      multi(unknown(20)),
      getChildren2("/mixed"),
    );
  },

  "getEphemerals lists the session's own, by the beginning of their paths": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(
      a,
      getEphemerals("/"),
      create("/own"),
      create("/own/x"),
      create("/own/e1", "", { mode: ephemeral }),
      create("/own/x/e2", "", { mode: ephemeral }),
      create("/own/x/f", "", { mode: ephemeral }),
    );
    await stage.steps(b, create("/own/b", "", { mode: ephemeral }), getEphemerals("/"));
    const prefixes = [
      "/",
      "",
      "  ",
      "\u0000",
      " / ",
      "\u00a0",
      "/own",
      "/own/x",
      "/own/x/",
      "/own/x/e",
      "own",
      "/o/x",
    ];
    await stage.steps(
      a,
      ...prefixes.map(getEphemerals),
      getEphemerals(null),
      remove("/own/x/f"),
      getEphemerals("/own/x"),
    );
  },

  "getAllChildrenNumber counts what is below a node": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(
      a,
      create("/counted"),
      create("/counted/a"),
      create("/counted/a/b"),
      create("/counted/a/c", "", { mode: ephemeral }),
      create("/counted/ab"),
      getAllChildrenNumber("/counted"),
      getAllChildrenNumber("/counted/a"),
      getAllChildrenNumber("/counted/a/b"),
      getAllChildrenNumber("/counted/absent"),
      getAllChildrenNumber("/counted/"),
      getAllChildrenNumber("counted"),
      getAllChildrenNumber("/zookeeper"),
    );
  },

  "the end of a container is the server's own to ask for": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(a, { ...remove("/anything"), type: 20, label: "deleteContainer" });
  },
};
