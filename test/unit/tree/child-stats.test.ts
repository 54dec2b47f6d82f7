/** The Stats of several children at once are those that `exists` tells. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import { foundedBy } from "../../../protocol/configuration.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { childOf } from "../../../protocol/paths.ts";
import type { ReadResult } from "../../../protocol/reads.ts";
import { create, remove, Replica, setData } from "../../support/replica.ts";

function statsOf(replica: Replica, path: string, names: readonly string[]): ReadResult | undefined {
  return replica.read({ kind: "childStats", path, names })[0];
}

function existing(replica: Replica, path: string): unknown {
  const [result] = replica.read({ kind: "exists", path, watch: false });
  return result?.kind === "stat" ? result.stat : null;
}

test("each child has the Stat that exists tells, and one that is not there has none", (t) => {
  const replica = new Replica({ servers: ["server.1=localhost:1:2"] });
  replica.name("barrier", foundedBy([{ id: 1 as ServerId, identity: "1".repeat(32) as Identity }]));
  const session = replica.session();
  for (const path of ["/p", "/p/a", "/p/b", "/p/b/c", "/p/gone", "/q"]) {
    replica.do(session, create(path));
  }
  replica.do(session, setData("/p/b", new Uint8Array(3)));
  replica.do(session, remove("/p/gone"));
  const cases = [
    ["/p", ["b", "gone", "a", "c", "q", "a", "ä"]],
    ["/", ["q", "p", "zookeeper", "a"]],
    ["/p/a", ["b"]],
    ["/zookeeper", ["quota", "config"]],
    ["/p", []],
  ] as const;
  for (const [path, names] of cases) {
    const stats = names.map((name) => existing(replica, childOf(path, name)));
    t.deepEqual(statsOf(replica, path, names), { kind: "stats", stats } as ReadResult, path);
  }
  t.like(existing(replica, "/zookeeper/config"), { version: -1 });
  t.deepEqual(statsOf(replica, "/absent", ["a"]), { kind: "error", code: Code.noNode });
});
