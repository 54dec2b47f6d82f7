/** Mistakes in who may do what: identities that are lost or another's, and checks that are not made. */
import type { Mutant } from "./mutant.ts";

const OPERATIONS = "actors/tree/apply/znode-operations.ts";
const READS = "actors/tree/reads.ts";
const ACCESS = "protocol/access.ts";

export const ACCESS_MUTANTS: readonly Mutant[] = [
  {
    name: "delete-without-permission",
    mistake: "whoever may read a znode's parent may delete the znode",
    edits: [
      {
        file: OPERATIONS,
        find: "if (!allows(transaction, parent, Permission.delete)) return Code.noAuth;",
        replace: "",
      },
    ],
  },
  {
    name: "create-checked-at-the-child",
    mistake: "a create asks the list that it comes with, not the parent's",
    edits: [
      {
        file: OPERATIONS,
        find: "if (!allows(transaction, parent, Permission.create)) return Code.noAuth;",
        replace:
          "if (!acl.some((entry) => (entry.permissions & Permission.create) !== 0)) return Code.noAuth;",
      },
    ],
  },
  {
    name: "set-acl-without-admin",
    mistake: "whoever may write a znode may change who may",
    edits: [
      {
        file: OPERATIONS,
        find: "if (!allows(transaction, znode, Permission.admin)) return Code.noAuth;",
        replace: "if (!allows(transaction, znode, Permission.write)) return Code.noAuth;",
      },
    ],
  },
  {
    name: "multi-unchecked",
    mistake: "what stands in a multi needs no permission",
    edits: [
      {
        file: "actors/tree/apply/multi.ts",
        find: "beginMulti(transaction);\n",
        replace:
          'beginMulti(transaction);\n  transaction.who = { identities: [{ scheme: "super", id: "" }], address: undefined };\n',
      },
    ],
  },
  {
    name: "identity-of-the-one-before",
    mistake:
      "an operation of who has proved nothing has the identities of the operation before it in the batch",
    edits: [
      {
        file: "protocol/batch-identities.ts",
        find: "places.push(identities === undefined ? 0 : lastPlace);",
        replace: "places.push(lastPlace);",
      },
    ],
  },
  {
    name: "identities-of-the-lane",
    mistake: "all operations of a batch have the identities of the first that has any",
    edits: [
      {
        file: "protocol/batch-identities.ts",
        find: "if (identities !== undefined && identities !== last) {",
        replace: "if (identities !== undefined && last === undefined) {",
      },
    ],
  },
  {
    name: "auth-is-everybody",
    mistake: "auth in a list stands for everybody",
    edits: [
      {
        file: ACCESS,
        find: "given.push({ permissions: entry.permissions, scheme, id });",
        replace: 'given.push({ permissions: entry.permissions, scheme: "world", id: "anyone" });',
      },
    ],
  },
  {
    name: "read-unchecked",
    mistake: "whoever asks is given the data",
    edits: [
      {
        file: READS,
        find: `if (!grants(znodes.acl(znode), Permission.read, who)) return NO_AUTH;
      if (read.watch) addWatch(watches, "data"`,
        replace: 'if (read.watch) addWatch(watches, "data"',
      },
    ],
  },
  {
    name: "read-behind-a-write-of-nobody",
    mistake: "a read that travels with writes is answered as if its client had proved nothing",
    edits: [
      {
        file: "actors/gateway/request-queue.ts",
        find: "else run.travelling.push({ after, who: run.who ?? ANYONE, reads: [read] });",
        replace: "else run.travelling.push({ after, who: ANYONE, reads: [read] });",
      },
    ],
  },
  {
    name: "event-unchecked",
    mistake: "a watch tells of what its client may not read",
    edits: [
      {
        file: "actors/gateway/zookeeper/requests.ts",
        find: "return acl === undefined || grants(acl, Permission.read, who);",
        replace: "return true;",
      },
    ],
  },
  {
    name: "event-by-the-wrong-list",
    mistake: "whether children may be heard of goes by the list of the child",
    edits: [
      {
        file: "actors/tree/watch/watches.ts",
        find: `  fire(watches, "data", watchEvent(WatchEventType.nodeCreated, path, zxid, acl));
  fire(watches, "child", childrenEvent(path, zxid, parentAcl));`,
        replace: `  fire(watches, "data", watchEvent(WatchEventType.nodeCreated, path, zxid, acl));
  fire(watches, "child", childrenEvent(path, zxid, acl));`,
      },
    ],
  },
  {
    name: "stream-shows-what-is-closed",
    mistake: "change streams tell of every znode",
    edits: [
      {
        file: "actors/tree/watch/readers.ts",
        find: "if (!mayThen || !znodes.hasClosed) return mayThen;",
        replace: "return true;",
      },
    ],
  },
  {
    name: "stream-by-the-list-of-now",
    mistake: "a change of a znode that was closed to the reader is shown once it is open",
    edits: [
      {
        file: "actors/tree/watch/readers.ts",
        find: "if (!mayThen || !znodes.hasClosed) return mayThen;",
        replace: "",
      },
    ],
  },
  {
    name: "native-identity-of-the-gateway",
    mistake: "what a native client proves is whoever else's who connects to the gateway",
    edits: [
      {
        file: "actors/gateway/nats/connections.ts",
        find: "else connection.who = who;",
        replace: "else for (const each of turn.state.connections.values()) each.who = who;",
      },
    ],
  },
  {
    name: "native-identity-forgotten",
    mistake: "requests of native clients have no identity",
    edits: [
      {
        file: "actors/gateway/nats/requests.ts",
        find: "id, bytes, turn.nowMs, connection.who);",
        replace: "id, bytes, turn.nowMs, turn.state.who);",
      },
    ],
  },
  {
    name: "hashes-shown",
    mistake: "who may read a list is shown the hashes in it",
    edits: [
      {
        file: READS,
        find: "grants(acl, Permission.admin, who) ? acl : masked(acl)",
        replace: "grants(acl, 31, who) ? acl : masked(acl)",
      },
    ],
  },
  {
    name: "address-not-in-snapshots",
    mistake: "a snapshot forgets from where a session is attached",
    edits: [
      {
        file: "protocol/snapshot-entries.ts",
        find: "session({ id, timeoutMs, attachedAt, password, address }: SnapshotSession): void {",
        replace:
          "session({ id, timeoutMs, attachedAt, password }: SnapshotSession, address?: string): void {",
      },
    ],
  },
  {
    name: "shared-list-let-go",
    mistake: "a list that several znodes have is forgotten with the first of them",
    edits: [
      {
        file: "actors/tree/store/acl-lists.ts",
        find: "if (shared.count > 0) return;",
        replace:
          "for (const [other, each] of this.#states) if (each.shared === shared) this.#states.delete(other);",
      },
    ],
  },
];
