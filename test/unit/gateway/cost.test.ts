/** What a client sends costs its gateway, and the tree that it asks, what its bytes do. */
import { crc32 } from "node:zlib";
import test from "ava";
import { flushStreams, openStream } from "../../../actors/tree/watch/streams.ts";
import { appendChange } from "../../../actors/tree/store/change-ring.ts";
import { PATH_LENGTH_MAX } from "../../../protocol/limits.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { growthOf, RATIO_MAX, timed } from "../../support/cost.ts";
import { GatewayDriver, requestFrame } from "../../support/gateway-driver.ts";
import { Replica } from "../../support/replica.ts";
import {
  type AclEntry,
  check,
  create,
  exists,
  multi,
  type Operation,
  ping,
  setAcl,
  setWatches,
  sync,
} from "../../support/zookeeper-client/operations.ts";
import { createState, type TreeTurn } from "../../../actors/tree/state.ts";
import { STILL } from "../../../runtime/testing/driven.ts";

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: Math.ceil(count) }, (_, index) => make(index));
const entry = (id: string): AclEntry => ({ perms: 31, scheme: "digest", id });

type Case = {
  readonly name: string;
  readonly size: number;
  readonly make: (size: number) => Operation | readonly Operation[];
};

const CASES: readonly Case[] = [
  {
    name: "an id of colons",
    size: 12_000,
    make: (size) => create("/a", "", { acl: [entry(":".repeat(size))] }),
  },
  {
    name: "a list of entries",
    size: 12_000,
    make: (size) =>
      setAcl(
        "/a",
        times(size / 30, (index) => entry(`u:${index}`)),
      ),
  },
  { name: "a path of slashes", size: 12_000, make: (size) => create("/".repeat(size)) },
  { name: "a path of names", size: 12_000, make: (size) => sync("/a".repeat(size / 2)) },
  {
    name: "a read of a path beyond ASCII",
    size: 12_000,
    make: (size) => exists(`/${"é".repeat(size / 2)}`, true),
  },
  {
    name: "a multi of checks",
    size: 8_000,
    make: (size) => multi(...times(size / 20, () => check("/a", 1))),
  },
  {
    name: "a multi whose last operation is refused",
    size: 8_000,
    make: (size) =>
      multi(...times(size / 40, () => create("/a")), create(`/${"a".repeat(PATH_LENGTH_MAX)}`)),
  },
  {
    name: "a list of watches",
    size: 8_000,
    make: (size) => setWatches(0n, { data: times(size / 10, (index) => `/a${index}`) }),
  },
  { name: "a pipeline of pings", size: 2_000, make: (size) => times(size / 12, () => ping()) },
];

for (const { name, size, make } of CASES) {
  test(`${name} costs the gateway what its bytes do`, (t) => {
    const growth = growthOf((bytes) => {
      const gateway = new GatewayDriver();
      gateway.leadership("following");
      gateway.attach(1);
      const requests = [make(bytes)].flat();
      const frames = Buffer.concat(
        requests.map((request, index) => requestFrame(index + 1, request)),
      );
      return timed(() => void gateway.bytes(1, frames));
    }, size);
    t.log(growth.text);
    t.true(growth.ratio < RATIO_MAX, growth.text);
  });
}

test("watches that are set again cost a tree what their paths do", (t) => {
  const growth = growthOf((count) => {
    const replica = new Replica();
    const paths = times(count, (index) => `/a${index}`);
    const one = { data: paths, exist: paths, child: paths };
    const lists = { ...one, persistent: paths, persistentRecursive: paths };
    return timed(
      () => void replica.read({ kind: "setWatches", relativeZxid: 0 as Zxid, ...lists }),
    );
  }, 500);
  t.log(growth.text);
  t.true(growth.ratio < RATIO_MAX, growth.text);
});

test("a change far below many recursive streams costs the length of its path", (t) => {
  const growth = growthOf(
    (names) => {
      const tree = createState({ server: 1 as ServerId, lane: 1, crc32 }, new Uint8Array(8));
      const turn: TreeTurn = { ...STILL, state: tree, effects: [] };
      tree.lastApplied = 1 as Zxid;
      const path = "/a".repeat(names);
      for (let length = 2; length < path.length; length += 2) {
        const at = path.slice(0, length);
        const stream = { kind: "openStream", from: "nats/1", client: 1, stream: length } as const;
        openStream(turn, { ...stream, path: at, recursive: true, after: 1 as Zxid });
      }
      tree.streams.flushed = 1 as Zxid;
      tree.lastApplied = 2 as Zxid;
      const root = tree.znodes.findParent("/a");
      const stat = root === undefined ? undefined : tree.znodes.stat(root);
      if (stat === undefined) throw new Error("every tree has a root");
      appendChange(tree.ring, 2 as Zxid, { kind: "data", path, stat, data: null, isClosed: false });
      return timed(() => flushStreams(turn, 1));
    },
    Math.floor(PATH_LENGTH_MAX / 2 / 64),
  );
  t.log(growth.text);
  t.true(growth.ratio < RATIO_MAX, growth.text);
});
