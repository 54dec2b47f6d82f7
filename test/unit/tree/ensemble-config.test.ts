/** What clients see at `/zookeeper/config`. The texts and stats are those of ZooKeeper 3.8. */
import test from "ava";
import { foundedBy, withIdentity } from "../../../protocol/configuration.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { CONFIG_PATH } from "../../../protocol/paths.ts";
import { NO_WATCHES, WatchEventType } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { Replica, toldOf } from "../../support/replica.ts";

const servers = ["server.1=a:1:2:participant;0.0.0.0:3", "server.2=b:1:2:participant"];
const identity = (digit: number): Identity => String(digit).repeat(32) as Identity;
const id = (number: number): ServerId => number as ServerId;
const FOUNDED = foundedBy([
  { id: id(1), identity: identity(1) },
  { id: id(2), identity: identity(2) },
]);

function textOf(replica: Replica): string | undefined {
  const result = replica.data(CONFIG_PATH);
  if (result.kind !== "data" || result.data === null) return undefined;
  return new TextDecoder().decode(result.data);
}

function eventsOf(effects: readonly Effect[]): readonly object[] {
  return toldOf(effects).flatMap(({ message }) =>
    message.kind === "watchEvents" ? message.events : [],
  );
}

test("the configuration is empty without addresses, and before an ensemble is founded", (t) => {
  const without = new Replica();
  without.name("barrier", FOUNDED);
  t.is(textOf(without), "");
  t.like(without.data(CONFIG_PATH), { stat: { version: 0 } });
  t.is(textOf(new Replica({ servers })), "");
});

test("the configuration names all members and the zxid of the record that has made it", (t) => {
  const replica = new Replica({ servers });
  replica.name("barrier", FOUNDED);
  t.is(textOf(replica), `${servers.join("\n")}\nversion=0`);
  t.like(replica.data(CONFIG_PATH), { stat: { version: -1, mzxid: 0, czxid: 0, aversion: -1 } });
  for (let count = 0; count < 20; count += 1) replica.session();
  const since = (replica.lastZxid + 1) as Zxid;
  replica.name("configuration", withIdentity(FOUNDED, { id: id(2), identity: identity(3) }, since));
  t.is(textOf(replica), `${servers.join("\n")}\nversion=${since.toString(16)}`);
  const [stat, children, acl] = replica.read(
    { kind: "exists", path: CONFIG_PATH, watch: false },
    { kind: "getChildren", path: CONFIG_PATH, watch: false },
    { kind: "getAcl", path: CONFIG_PATH },
  );
  for (const result of [stat, children, acl])
    t.like(result, { stat: { mzxid: since, version: -1 } });
});

test("a watch on the configuration fires when it changes, and when it is set again after that", (t) => {
  const replica = new Replica({ servers });
  t.deepEqual(eventsOf(replica.name("barrier", FOUNDED)), []);
  replica.readAs("zookeeper/0", 1, { kind: "getData", path: CONFIG_PATH, watch: true });
  t.deepEqual(eventsOf(replica.name("barrier", FOUNDED)), []);
  const before = replica.lastZxid;
  const since = (before + 1) as Zxid;
  const next = withIdentity(FOUNDED, { id: id(2), identity: identity(3) }, since);
  const event = { type: WatchEventType.nodeDataChanged, path: CONFIG_PATH, zxid: since };
  const acl = [{ permissions: 1, scheme: "world", id: "anyone" }];
  t.deepEqual(eventsOf(replica.name("configuration", next)), [{ ...event, acl }]);
  const again = (relativeZxid: Zxid): readonly object[] =>
    eventsOf(
      replica.receive({
        kind: "read",
        from: "zookeeper/0",
        client: 2,
        reads: [{ kind: "setWatches", ...NO_WATCHES, relativeZxid, data: [CONFIG_PATH] }],
        answerBytesMax: 1000,
      }),
    );
  t.deepEqual(again(before), [event]);
  t.deepEqual(again(since), []);
});
