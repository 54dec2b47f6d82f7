/** Which paths are refused, and by which operations. */
import type { Scenario } from "../../support/conformance.ts";
import { ZkClient } from "../../support/zookeeper-client/client.ts";
import {
  check,
  create,
  create2,
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
  sync,
} from "../../support/zookeeper-client/operations.ts";

const INVALID = [
  "relative",
  "/end/",
  "//empty",
  "/.",
  "/..",
  "/dot/.",
  "/dot/..",
  "/null\u0000",
  "/control\u0001",
  "/control\u001f",
  "/delete\u007f",
  "/control\u009f",
  "/private\ue000",
  "/private\uf8ff",
  "/special\ufff0",
  "/special\uffff",
  "/emoji\u{1f41a}",
];

/** The parent of each is a path that cannot be; which of the two faults is named is not defined. */
const INVALID_PARENT = ["/empty//name", "/dot/./name", "/dot/../name", "/control\u0001/name"];

const VALID = [
  "/ .",
  "/.hidden",
  "/..hidden",
  "/...",
  "/dot.",
  "/a b",
  "/\u00a0",
  "/\uf900",
  "/\uffef",
  "/grüße",
  "/名前",
];

export const pathScenarios: Readonly<Record<string, Scenario>> = {
  "create refuses every path that breaks a rule": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(a, create("/end"), create("/dot"));
    await stage.steps(a, ...INVALID.map((path) => create(path)));
    await stage.steps(a, ...INVALID.map((path) => create2(path, "", { mode: Mode.ephemeral })));
    await stage.steps(a, create(""), create2(""), getChildren("/end"), getChildren("/dot"));
  },

  "create makes nothing below a path that breaks a rule": async (stage) => {
    const a = await stage.connect("a");
    const b = await ZkClient.connect(stage.address);
    for (const path of INVALID_PARENT) {
      const { code } = await b.request(create(path));
      stage.note(`${JSON.stringify(path)} ${code === 0 ? "was made" : "was refused"}`);
    }
    await b.close();
    await stage.steps(a, sync("/"));
  },

  "create takes every path that looks odd and breaks no rule": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(a, ...VALID.map((path) => create(path, path)));
    await stage.steps(a, ...VALID.map((path) => getData(path)));
    await stage.steps(a, ...VALID.map((path) => remove(path)));
  },

  "a sequential node's path is judged with its number": async (stage) => {
    const a = await stage.connect("a");
    const mode = Mode.persistentSequential;
    await stage.steps(
      a,
      create("/judged"),
      create("/judged/", "", { mode }),
      create("/judged/.", "", { mode }),
      create("/judged/..", "", { mode }),
      create("judged", "", { mode }),
      create("/judged/\u0001", "", { mode }),
      getChildren("/judged"),
    );
  },

  "setData, setACL and check refuse a bad path, and a delete or a read finds nothing there": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    for (const path of ["/end/", "//empty", "/dot/../name", "/control\u0001"]) {
      await stage.steps(
        a,
        setData(path, "x"),
        setAcl(path, OPEN),
        multi(setData(path, "x")),
        multi(check(path, -1)),
        remove(path),
        multi(remove(path)),
        exists(path),
        getData(path),
        getChildren(path),
        getChildren2(path),
        getAcl(path),
        sync(path),
      );
    }
    await stage.steps(
      a,
      remove("relative"),
      remove(""),
      setData("relative", "x"),
      exists("relative"),
    );
  },
};
