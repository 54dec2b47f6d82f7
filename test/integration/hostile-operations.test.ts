/** Operations that are made to be dear, or too large together: each is answered, and an ensemble serves others all along. */
import test, { type ExecutionContext } from "ava";
import { ZooidEnsemble } from "../support/zooid.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  type AclEntry,
  check,
  create,
  getData,
  multi,
  type Operation,
  remove,
  setAcl,
  setData,
  setWatches,
} from "../support/zookeeper-client/operations.ts";

const INVALID_ACL = -114;
let ensemble: ZooidEnsemble | undefined;

test.before(async () => {
  ensemble = await ZooidEnsemble.start({ tickTimeMs: 3000 });
});
test.after.always(() => ensemble?.stop());

function ports(): number[] {
  if (ensemble === undefined) throw new Error("the ensemble has not started");
  return ensemble.nodes.map(({ port }) => port);
}

async function codesOf(port: number, requests: readonly Operation[]): Promise<number[]> {
  const client = await ZkClient.connect({ port, timeoutMs: 60_000 });
  const replies = await Promise.all(requests.map((request) => client.request(request)));
  await client.close();
  return replies.map(({ code }) => code);
}

/** A write through every node, which is read through every node. */
async function served(t: ExecutionContext): Promise<void> {
  const path = `/served-${Math.random()}`;
  for (const port of ports()) {
    t.deepEqual(await codesOf(port, [create(path), getData(path), remove(path)]), [0, 0, 0]);
  }
}

const colons: readonly AclEntry[] = [
  { perms: 31, scheme: "digest", id: `${":".repeat(1_000_000)}x` },
];
const entries: readonly AclEntry[] = Array.from({ length: 45_000 }, (_, index) => ({
  perms: index,
  scheme: "ip",
  id: `1.2.3.4`,
}));

test.serial(
  "access control lists of a megabyte, pipelined from four connections, stop no node",
  async (t) => {
    const [port = 0] = ports();
    t.deepEqual(await codesOf(port, [create("/acls")]), [0]);
    const requests = [colons, entries].flatMap((acl) => [
      create("/acls/a", "", { acl }),
      setAcl("/acls", acl),
      multi(create("/acls/b"), create("/acls/c", "", { acl })),
    ]);
    const all = await Promise.all(
      ports()
        .concat(port)
        .map((each) => codesOf(each, requests)),
    );
    const expected = [INVALID_ACL, INVALID_ACL, 0, INVALID_ACL, INVALID_ACL, 0];
    for (const codes of all) t.deepEqual(codes, expected);
    await served(t);
  },
);

test.serial("data of a megabyte, pipelined from four connections, stops no node", async (t) => {
  const [port = 0] = ports();
  const data = Buffer.alloc(1_000_000, 1);
  t.deepEqual(await codesOf(port, [create("/data")]), [0]);
  const requests = Array.from({ length: 6 }, () => [
    setData("/data", data),
    multi(setData("/data", data.subarray(100)), check("/absent", 0)),
  ]).flat();
  const all = await Promise.all([port, port, port, port].map((each) => codesOf(each, requests)));
  for (const codes of all) t.true(codes.every((code) => code === 0));
  await served(t);
});

test.serial(
  "paths and lists of paths without end are answered, and leave nothing behind",
  async (t) => {
    const [port = 0] = ports();
    const deep = "/a".repeat(400_000);
    const long = `/${"b".repeat(900_000)}`;
    const paths = Array.from({ length: 200_000 }, () => "");
    const requests = [
      create(deep),
      getData(long, true),
      setData(deep, "x"),
      multi(create(long)),
      setWatches(0n, { data: paths }),
    ];
    t.deepEqual(await codesOf(port, requests), [-8, -101, -8, 0, -8]);
    await served(t);
  },
);
