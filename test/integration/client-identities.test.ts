/** Native clients of different identities, over a real nats-server: what each may do, and what each is told. */
import test, { type ExecutionContext } from "ava";
import { filter, firstValueFrom } from "rxjs";
import { type Client, connect, type Identity } from "../../client/connect.ts";
import type { ZooidError } from "../../protocol/errors.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { type AclEntry, auth, create, setAcl } from "../support/zookeeper-client/operations.ts";
import { startZooid, type ZooidNode } from "../support/zooid.ts";

const ANN: Identity = { user: "ann", password: "secret" };
const BOB: Identity = { user: "bob", password: "secret" };
/** By SHA1, of the password `secret`. */
const SUPER: Identity = { user: "super", password: "secret" };
const SUPER_DIGEST = "super:lK75jTNcA+U9vtVEw5vB51mj/w4=";
const AUTH: readonly AclEntry[] = [{ perms: 31, scheme: "auth", id: "" }];

let nats: NatsServer | undefined;
let node: ZooidNode | undefined;

test.before(async () => {
  nats = await startNatsServer();
  const superDigest = `DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`;
  node = await startZooid({ lines: [`zooid.nats=${nats.url}`, superDigest] });
});

test.after.always(async () => {
  await node?.stop();
  await nats?.stop();
});

async function client(t: ExecutionContext, ...identities: readonly Identity[]): Promise<Client> {
  const connected = await connect(nats?.url ?? "", { connectTimeoutMs: 30_000, identities });
  t.teardown(() => connected.close());
  return connected;
}

const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "done",
    (error: ZooidError) => error.code,
  );

/** What a stream tells of the znodes up to the one with this path. */
async function pathsUpTo(of: Client, last: string): Promise<readonly string[]> {
  const paths: string[] = [];
  await firstValueFrom(
    of.changes("/shown", { recursive: true }).pipe(
      filter((event) => {
        paths.push(`${event.kind} ${event.path}`);
        return event.path === last;
      }),
    ),
  );
  return paths;
}

test.serial(
  "a client may do what its identities may, and its streams show what they may read",
  async (t) => {
    const [ann, bob, both, nobody, root] = await Promise.all([
      client(t, ANN),
      client(t, BOB),
      client(t, BOB, ANN),
      client(t),
      client(t, SUPER),
    ]);
    const owner = await ZkClient.connect(node ?? { port: 0 });
    t.teardown(() => owner.close());
    await owner.request(auth("digest", "ann:secret"));
    await nobody.create("/shown");
    const all = { ann, bob, both, nobody, root };
    await Promise.all(Object.values(all).map((each) => each.children("/shown")));
    const told = Object.values(all).map((each) => pathsUpTo(each, "/shown/last"));
    await owner.request(create("/shown/ann", "hers", { acl: AUTH }));
    const may = async (of: Client): Promise<readonly string[]> => [
      await codeOf(of.sync().then(() => of.get("/shown/ann"))),
      await codeOf(of.set("/shown/ann", "x")),
      await codeOf(of.create("/shown/ann/child").then(() => of.delete("/shown/ann/child"))),
      await codeOf(of.children("/shown/ann")),
    ];
    const nothing = Array.from({ length: 4 }, () => "ZOOID_NO_AUTH");
    const everything = Array.from({ length: 4 }, () => "done");
    t.deepEqual(await may(bob), nothing);
    t.deepEqual(await may(nobody), nothing);
    t.deepEqual(await may(ann), everything);
    t.deepEqual(await may(both), everything);
    t.deepEqual(await may(root), everything);
    t.is((await nobody.exists("/shown/ann")).stat?.version, 3);
    await owner.request(setAcl("/shown/ann", [{ perms: 31, scheme: "digest", id: "x:y" }]));
    t.deepEqual(await may(ann), nothing);
    await nobody.create("/shown/last");
    const [annTold = [], bobTold, bothTold, nobodyTold, rootTold = []] = await Promise.all(told);
    // Each of the children of hers was open.
    const open = rootTold.filter((each) => each.endsWith("/child"));
    t.is(open.length, 6);
    t.deepEqual(bobTold, [...open, "created /shown/last"]);
    t.deepEqual(nobodyTold, bobTold);
    t.deepEqual(bothTold, annTold);
    t.is(annTold.filter((each) => each === "data /shown/ann").length, 3);
    t.is(rootTold.filter((each) => each === "acl /shown/ann").length, 1);
    t.false(annTold.includes("acl /shown/ann"), "the list that closed it");
  },
);

test.serial("what is no identity is refused before anything is sent", async (t) => {
  const wrong: readonly unknown[] = [{ user: "a:b", password: "" }, { user: "a" }, "ann:secret"];
  for (const identity of wrong) {
    const identities = [identity as Identity];
    t.is(await codeOf(connect(nats?.url ?? "", { identities })), "ZOOID_BAD_ARGUMENTS");
  }
});
