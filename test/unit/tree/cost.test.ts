/** What an operation costs every tree is bounded by its bytes: the worst of each kind is applied, of n and of 64n bytes. */
import test from "ava";
import type { Acl } from "../../../protocol/acl.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import { PATH_LENGTH_MAX } from "../../../protocol/limits.ts";
import { growthOf, RATIO_MAX, timed } from "../../support/cost.ts";
import {
  bytes,
  check,
  client,
  create,
  multi,
  remove,
  Replica,
  setData,
} from "../../support/replica.ts";

const DIGEST: Acl = { permissions: 31, scheme: "digest", id: "user:hash" };
const PREPARED = "/prepared";

type Case = {
  readonly name: string;
  /** Bytes, about. */
  readonly size: number;
  /** One operation of that many bytes, the worst of its kind. */
  readonly make: (size: number) => ClientOperation;
  /** What it needs to be there. */
  readonly prepare?: (size: number) => readonly ClientOperation[];
};

const id = (text: string): Acl => ({ ...DIGEST, id: text });
const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: Math.ceil(count) }, (_, index) => make(index));
const deep = (length: number): string => "/a".repeat(Math.floor(length / 2));
const setAcl = (acl: readonly Acl[]): ClientOperation => ({
  kind: "setAcl",
  path: PREPARED,
  acl,
  version: -1,
});

const CASES: readonly Case[] = [
  {
    name: "a create with an id of colons alone",
    size: 6_000,
    make: (size) => create("/a", { acl: [id(`a${":".repeat(size)}b`)] }),
  },
  {
    name: "a create with many different access control entries",
    size: 12_000,
    make: (size) => create("/a", { acl: times(size / 21, (index) => id(`u:${index}`)) }),
  },
  {
    name: "a setACL with many different addresses",
    size: 12_000,
    make: (size) =>
      setAcl(
        times(size / 16, (index) => ({
          permissions: index,
          scheme: "ip",
          id: `10.0.${(index >> 8) & 255}.${index & 255}`,
        })),
      ),
  },
  {
    name: "a setACL with one long address",
    size: 12_000,
    make: (size) => setAcl([{ ...DIGEST, scheme: "ip", id: `${"1.".repeat(size / 2)}/` }]),
  },
  {
    name: "a create of a path with many components",
    size: 12_000,
    make: (size) => create(deep(size)),
  },
  {
    name: "a create of a path of dots and slashes",
    size: 12_000,
    make: (size) => create(`/a${"/..a".repeat(size / 4)}//`),
  },
  {
    name: "a create with much data",
    size: 12_000,
    make: (size) => create("/a", { data: new Uint8Array(size) }),
  },
  {
    name: "a setData with much data",
    size: 12_000,
    make: (size) => setData(PREPARED, new Uint8Array(size)),
  },
  { name: "a delete of a long path", size: 12_000, make: (size) => remove(`${deep(size)}\u0000`) },
  {
    name: "a sync of a long path",
    size: 12_000,
    make: (size) => ({ kind: "sync", path: deep(size) }),
  },
  {
    name: "a multi of checks",
    size: 12_000,
    make: (size) => multi(...times(size / 20, () => check(PREPARED))),
  },
  {
    name: "a multi of creates that is refused at its end",
    size: 10_000,
    make: (size) => multi(...times(size / 30, (index) => create(`/n${index}`)), check("/absent")),
  },
  {
    name: "a multi of creates with sequential names and of their deletes",
    size: 10_000,
    make: (size) =>
      multi(
        ...times(size / 60, () => create(`${PREPARED}/s`, { sequential: true })),
        check("/absent"),
      ),
  },
  {
    name: "a multi of sets of one node",
    size: 12_000,
    make: (size) => multi(...times(size / 30, (index) => setData(PREPARED, bytes(`${index}`)))),
  },
  {
    name: "a multi of paths as long as may be",
    size: 4 * PATH_LENGTH_MAX,
    make: (size) =>
      multi(
        ...times(size / PATH_LENGTH_MAX, (index) =>
          create(`/${"a".repeat(PATH_LENGTH_MAX - 10)}${index}`),
        ),
        check("/absent"),
      ),
  },
  {
    name: "the end of a session with many ephemerals",
    size: 10_000,
    prepare: (size) => [
      multi(...times(size / 30, (index) => create(`/e${index}`, { ephemeral: true }))),
    ],
    make: () => ({ kind: "closeSession" }),
  },
];

function costOf({ make, prepare }: Case, size: number): number {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create(PREPARED));
  for (const each of prepare?.(size) ?? []) replica.do(session, each);
  const record = replica.record([client(session, make(size))]);
  return timed(() => void replica.receive({ kind: "committed", records: [record] }));
}

for (const each of CASES) {
  test(`${each.name} costs a tree what its bytes do`, (t) => {
    const growth = growthOf((size) => costOf(each, size), each.size);
    t.log(growth.text);
    t.true(growth.ratio < RATIO_MAX, growth.text);
  });
}
