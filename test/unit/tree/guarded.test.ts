/**
 * Whatever reads or answers tells nothing of znodes that its asker may not read. A new kind of read or operation does not compile here
 * until it has its row. The kinds of mistakes are those of etcd's advisories of 2026: reads within transactions and previous values
 * (CVE-2026-33343, CVE-2026-33413), and events of keys beside the permitted one (GHSA-xg4h-6gfc-h4m8).
 */
import test from "ava";
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import { grants, Permission } from "../../../protocol/access.ts";
import { ANYONE, type Identity } from "../../../protocol/identities.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import { NO_WATCHES, type Read, type WatchEvent } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  bytes,
  check,
  client,
  create,
  remove,
  Replica,
  setData,
  toldOf,
} from "../../support/replica.ts";

const ANN: Identity = { scheme: "digest", id: "ann:hash" };
const CLOSED: readonly Acl[] = [{ permissions: 31, ...ANN }];
/** What only Ann may learn: the data of her znode, and the name and the data of the one below it. */
const SECRET = "canary";
const PATH = "/closed";
const BELOW = `${PATH}/${SECRET}`;

const ANY_STAT: Stat = {
  ...{ czxid: -1 as Zxid, mzxid: -1 as Zxid, pzxid: -1 as Zxid, ctime: -1, mtime: -1 },
  ...{ version: -1, cversion: -1, aversion: -1 },
  ...{ ephemeralOwner: -1 as SessionId, dataLength: -1, numChildren: -1 },
};

type Tree = { readonly replica: Replica; readonly session: SessionId; readonly begin: Zxid };

function guarded(): Tree {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/open"));
  const begin = replica.lastZxid;
  const asAnn = (operation: ClientOperation): void => {
    replica.commit({ ...client(session, operation), identities: [ANN] });
  };
  asAnn(create(PATH, { data: bytes(SECRET), acl: CLOSED }));
  asAnn(create(BELOW, { data: bytes(SECRET), acl: CLOSED }));
  return { replica, session, begin };
}

/** All that leaves the tree for somebody who has proved nothing, as text: the bytes of data read as characters. */
function textOf(told: object): string {
  return JSON.stringify(told, (key, value: unknown) => {
    // The gateway passes an event on to those who may read by the list that comes with it, and to no other.
    if (key === "events") return (value as readonly WatchEvent[]).filter(isForAnyone);
    if (value instanceof Uint8Array) return new TextDecoder().decode(value);
    return typeof value === "bigint" ? String(value) : value;
  });
}

function isForAnyone({ acl }: WatchEvent): boolean {
  return acl === undefined || grants(acl, Permission.read, ANYONE);
}

/** What Ann does later, of which watches and streams may be told. */
function goOn({ replica, session }: Tree): string {
  const later = [
    setData(PATH, bytes(`${SECRET} 2`)),
    create(`${PATH}/${SECRET}-2`, { acl: CLOSED }),
    setData(BELOW, bytes(`${SECRET} 2`)),
    remove(`${PATH}/${SECRET}-2`),
  ].flatMap((operation) => [
    ...replica.commit({ ...client(session, operation), identities: [ANN] }),
  ]);
  return textOf(toldOf(later).filter(({ to }) => to === "zookeeper/9" || to === "nats/1"));
}

const watched = (path: string, begin: Zxid): Read => ({
  kind: "setWatches",
  relativeZxid: begin,
  ...NO_WATCHES,
  data: [path],
  child: [path],
  persistent: [path],
  persistentRecursive: ["/"],
});

/** Reads of each kind, of the znode that is closed and of all that is above it. */
const READS: {
  readonly [Kind in Read["kind"]]: (tree: Tree) => readonly Extract<Read, { kind: Kind }>[];
} = {
  exists: () => [{ kind: "exists", path: PATH, watch: true }],
  getData: () => [{ kind: "getData", path: PATH, watch: true }],
  getChildren: () => [{ kind: "getChildren", path: PATH, watch: true }],
  getAcl: () => [{ kind: "getAcl", path: PATH }],
  multiRead: () => [
    {
      kind: "multiRead",
      reads: [
        { kind: "getData", path: "/open", watch: false },
        { kind: "getData", path: PATH, watch: false },
        { kind: "getChildren", path: PATH, watch: false },
        { kind: "getData", path: BELOW, watch: false },
      ],
    },
  ],
  listChildren: () =>
    ["/", PATH].flatMap((path) =>
      [undefined, { stats: true, values: true }].map((having) => {
        return { kind: "listChildren", path, watch: true, only: "all", having } as const;
      }),
    ),
  listRecursive: () =>
    ["/", PATH].map((path) => ({ kind: "listRecursive", path, znodesMax: 100 }) as const),
  childrenPage: () => [{ kind: "childrenPage", path: PATH, childrenMax: 10, after: undefined }],
  changedPaths: ({ begin }) =>
    ["/", PATH].map(
      (path) => ({ kind: "changedPaths", path, below: true, after: begin, pathsMax: 9 }) as const,
    ),
  childStats: () => [{ kind: "childStats", path: PATH, names: ["mine", "below"] }],
  getEphemerals: ({ session }) => [{ kind: "getEphemerals", prefix: "/", session }],
  getAllChildrenNumber: () => [{ kind: "getAllChildrenNumber", path: "/" }],
  addWatch: () => [
    { kind: "addWatch", path: PATH, mode: "persistent" },
    { kind: "addWatch", path: "/open", mode: "persistentRecursive" },
    { kind: "addWatch", path: "/", mode: "persistentRecursive" },
  ],
  checkWatches: () => [{ kind: "checkWatches", path: PATH, watcher: "any" }],
  removeWatches: () => [{ kind: "removeWatches", path: PATH, watcher: "any" }],
  setWatches: ({ begin }) =>
    [watched(PATH, begin), watched(BELOW, begin)].flatMap((read) =>
      read.kind === "setWatches" ? [read] : [],
    ),
};

for (const [kind, readsOf] of Object.entries(READS)) {
  test(`${kind} tells nothing of what its asker may not read, nor do watches that it leaves`, (t) => {
    const tree = guarded();
    for (const read of readsOf(tree)) {
      const asked = { kind: "read", from: "zookeeper/9", client: 1, who: ANYONE } as const;
      const effects = tree.replica.receive({ ...asked, reads: [read], answerBytesMax: 1 });
      // A path that the asker has sent is no news to him.
      const answer = textOf(toldOf(effects));
      const hasSent = textOf(read).includes(BELOW);
      const news = hasSent ? answer.replaceAll(`"${BELOW}"`, "its own") : answer;
      t.false(news.includes(SECRET), answer);
    }
    // A watch on a path says that something became of it: exists would say it too.
    const later = goOn(tree).replaceAll(`"${BELOW}"`, "its own");
    t.false(later.includes(SECRET), later);
  });
}

/** Operations of each kind that somebody else does to Ann's znodes. */
const OPERATIONS: {
  readonly [Kind in ClientOperation["kind"]]: readonly Extract<ClientOperation, { kind: Kind }>[];
} = {
  create: [create(PATH), create(`${PATH}/mine`), create(`${PATH}/c`, { sequential: true })],
  delete: [remove(PATH), remove(BELOW), remove(PATH, 7)],
  setData: [setData(PATH, null), setData(PATH, null, 7)],
  check: [check(PATH), { kind: "check", path: PATH, version: 7 }],
  checkNotExists: [{ kind: "checkNotExists", path: PATH, version: -1 }],
  checkStat: [{ kind: "checkStat", path: PATH, version: -1, stat: ANY_STAT }],
  tryRemove: [{ kind: "tryRemove", path: PATH, version: -1 }],
  removeRecursive: [
    { kind: "removeRecursive", path: PATH, znodesMax: 10 },
    { kind: "removeRecursive", path: "/", znodesMax: 10 },
  ],
  refusal: [],
  setAcl: [{ kind: "setAcl", path: PATH, acl: OPEN_ACL, version: -1 }],
  multi: [
    { kind: "multi", operations: [check(PATH), check(BELOW)] },
    { kind: "multi", operations: [create("/mine"), setData(PATH, null), remove(PATH)] },
    { kind: "multi", operations: [remove(BELOW), remove(PATH)] },
  ],
  sync: [{ kind: "sync", path: PATH }],
  closeSession: [{ kind: "closeSession" }],
};

for (const [kind, operations] of Object.entries(OPERATIONS)) {
  test(`the result of ${kind} tells nothing of what its asker may not read`, (t) => {
    const { replica } = guarded();
    for (const operation of operations) {
      const session = replica.session();
      const answer = textOf(replica.results(client(session, operation)));
      t.false(answer.includes(SECRET), answer);
    }
    const ann = { identities: [ANN], address: undefined };
    const data = replica.readBy(ann, { kind: "getData", path: PATH, watch: false });
    t.true(textOf(data).includes(SECRET), "nothing became of the znode");
  });
}

for (const path of ["/", PATH, BELOW]) {
  test(`a stream of ${path} tells nothing of what its asker may not read, from the ring or as it comes`, (t) => {
    const tree = guarded();
    const asked = { kind: "openStream", from: "nats/1", client: 1 } as const;
    for (const [stream, after] of [undefined, tree.begin].entries()) {
      const effects = tree.replica.receive({ ...asked, stream, path, recursive: true, after });
      const told = textOf(toldOf(effects)).replaceAll(`"${BELOW}"`, "its own");
      t.false(told.includes(SECRET), told);
    }
    const later = goOn(tree).replaceAll(`"${BELOW}"`, "its own");
    t.false(later.includes(SECRET), later);
  });
}
