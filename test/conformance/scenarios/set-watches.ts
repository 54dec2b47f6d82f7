/** setWatches after a reconnect: what happened meanwhile is told at once, and what did not is watched again. */
import type { Scenario, Stage } from "../../support/conformance.ts";
import type { ZkClient } from "../../support/zookeeper-client/client.ts";
import {
  create,
  exists,
  remove,
  setData,
  setWatches,
  setWatches2,
  type Operation,
} from "../../support/zookeeper-client/operations.ts";

/** Two clients; the first loses its connection, the other makes the changes, the first comes back and sets its watches. */
async function gap(
  stage: Stage,
  before: readonly Operation[],
  meanwhile: readonly Operation[],
  watches: (relativeZxid: bigint) => Operation,
): Promise<{ readonly again: ZkClient; readonly other: ZkClient }> {
  const other = await stage.connect("other");
  await stage.steps(other, ...before);
  const a = await stage.connect("a");
  await a.barrier();
  const seen = other.lastZxidSeen;
  await a.cut();
  await stage.steps(other, ...meanwhile);
  const again = await stage.reconnect("a again", a);
  await stage.steps(again, watches(seen));
  return { again, other };
}

export const setWatchesScenarios: Readonly<Record<string, Scenario>> = {
  "a data watch is told of a change and of a deletion, and waits for what is unchanged": async (
    stage,
  ) => {
    const { again, other } = await gap(
      stage,
      [create("/data"), create("/data/same"), create("/data/changed"), create("/data/gone")],
      [setData("/data/changed", "x"), remove("/data/gone")],
      (zxid) =>
        setWatches(zxid, { data: ["/data/same", "/data/changed", "/data/gone", "/data/never"] }),
    );
    await stage.steps(other, setData("/data/same", "x"), setData("/data/changed", "y"));
    await stage.steps(other, create("/data/gone"), create("/data/never"));
    await again.events(4);
    await again.barrier();
  },

  "an exist watch is told of a creation, and waits for what is still absent": async (stage) => {
    const { again, other } = await gap(
      stage,
      [create("/exist"), create("/exist/old")],
      [create("/exist/new")],
      (zxid) => setWatches(zxid, { exist: ["/exist/old", "/exist/new", "/exist/absent"] }),
    );
    await stage.steps(other, create("/exist/absent"), setData("/exist/new", "x"));
    await again.events(3);
    await again.barrier();
  },

  "a child watch is told of children that came or went, and of a deletion": async (stage) => {
    const { again, other } = await gap(
      stage,
      [
        create("/child"),
        create("/child/same"),
        create("/child/more"),
        create("/child/fewer"),
        create("/child/fewer/x"),
        create("/child/gone"),
      ],
      [create("/child/more/x"), remove("/child/fewer/x"), remove("/child/gone")],
      (zxid) =>
        setWatches(zxid, {
          child: ["/child/same", "/child/more", "/child/fewer", "/child/gone"],
        }),
    );
    await stage.steps(other, create("/child/same/x"), create("/child/more/y"));
    await again.events(4);
    await again.barrier();
  },

  "a change of the data is none of a child watch, nor a new child of a data watch": async (
    stage,
  ) => {
    const { again, other } = await gap(
      stage,
      [create("/mixed"), create("/mixed/a"), create("/mixed/b")],
      [setData("/mixed/a", "x"), create("/mixed/b/child")],
      (zxid) => setWatches(zxid, { data: ["/mixed/b"], child: ["/mixed/a"] }),
    );
    await again.barrier();
    await stage.steps(other, setData("/mixed/b", "x"), create("/mixed/a/child"));
    await again.events(2);
    await again.barrier();
  },

  "setWatches2 without persistent watches does what setWatches does": async (stage) => {
    const { again, other } = await gap(
      stage,
      [create("/second-form"), create("/second-form/a")],
      [setData("/second-form/a", "x")],
      (zxid) =>
        setWatches2(zxid, {
          data: ["/second-form", "/second-form/a"],
          exist: ["/second-form/b"],
          child: ["/second-form"],
        }),
    );
    await stage.steps(other, create("/second-form/b"), setData("/second-form", "x"));
    await again.events(4);
    await again.barrier();
  },

  "empty lists set nothing": async (stage) => {
    const { again } = await gap(stage, [create("/none")], [setData("/none", "x")], (zxid) =>
      setWatches(zxid, {}),
    );
    await stage.steps(again, exists("/none"), setData("/none", "y"));
  },
};
