/** In which order callers are told what the ensemble has answered. */
import test from "ava";
import { of } from "rxjs";
import { Client } from "../../../client/client.ts";
import { key, text } from "../../../client/values.ts";
import type { NativeRequest, NativeResult } from "../../../protocol/native-packing.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Wire } from "../../../client/wire.ts";

const ZXID = 1 as Zxid;
const STAT = { version: 3, czxid: ZXID, mzxid: ZXID } as Stat;
const state = { kind: "connecting" } as const;

function resultOf(request: NativeRequest): NativeResult {
  if (request.kind === "whoAmI") return { kind: "identities", identities: [] };
  const { kind } = request.kind === "read" ? request.read : request.operation;
  switch (kind) {
    case "create":
      return { kind: "created", path: "/a", stat: STAT };
    case "getData":
      return { kind: "data", data: null, stat: STAT };
    case "getChildren":
      return { kind: "children", children: [], stat: STAT };
    case "getAcl":
      return { kind: "acl", acl: [], stat: STAT };
    case "multi":
      return { kind: "multi", failed: false, results: [{ kind: "done" }] };
    case "exists":
    case "setData":
    case "setAcl":
      return { kind: "stat", stat: STAT };
    default:
      return { kind: "done" };
  }
}

/** It answers all that was asked in one turn at once, as one frame would. */
function wire(): Wire {
  const waiting: (() => void)[] = [];
  return {
    clock: { nowMs: () => 0, random: () => 0, after: () => () => undefined },
    features: { exactlyOnce: true, pages: true, wideOperations: true, everyChange: true },
    state$: of(state),
    state,
    lastZxid: ZXID,
    requestBytesMax: 1000,
    validUntilMs: 0,
    request: (request) =>
      new Promise((resolve) => {
        waiting.push(() => resolve({ zxid: ZXID, result: resultOf(request) }));
        if (waiting.length === 1)
          setImmediate(() => waiting.splice(0).forEach((answer) => answer()));
      }),
    subscribe: () => () => undefined,
    close: () => Promise.resolve(),
  };
}

test("callers are told in the order in which they asked, whatever they asked for", async (t) => {
  const client = new Client(wire());
  const typed = key("/a", { codec: text });
  const acl = [{ permissions: 31, scheme: "world", id: "anyone" }];
  const calls: readonly (() => Promise<unknown>)[] = [
    () => client.get("/a"),
    () => client.set("/a", null),
    () => client.create("/a"),
    () => client.exists("/a"),
    () => client.get(typed),
    () => client.transaction((tx) => [tx.delete("/a")]).commit(),
    () => client.delete("/a"),
    () => client.children("/a"),
    () => client.setAcl("/a", acl),
    () => client.acl("/a"),
    () => client.put(typed, "x"),
    () => client.whoAmI(),
    () => client.sync(),
    () => client.get("/a"),
  ];
  const told: number[] = [];
  await Promise.all(calls.map((call, index) => call().then(() => told.push(index))));
  t.deepEqual(told, [...calls.keys()]);
});
