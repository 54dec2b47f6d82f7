/** What is counted below a znode takes the same steps for many znodes as for few (docs/decisions/0040-bounded-counts.md). */
import test, { type ExecutionContext } from "ava";
import { Rows } from "../../../actors/tree/store/rows.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { bytes, client, create, remove, Replica } from "../../support/replica.ts";

const STATS = "/zookeeper/quota/app/zookeeper_stats";
const BATCH = 500;

function filled(count: number): { readonly replica: Replica; readonly session: SessionId } {
  const replica = new Replica();
  const session = replica.session();
  for (const path of ["/zookeeper/quota/app", "/app", "/app/a"]) {
    replica.do(session, create(path, { data: null }));
  }
  for (let made = 0; made < count; made += BATCH) {
    const creates = Array.from({ length: BATCH }, (_, index) => create(`/app/a/${made + index}`));
    replica.commit(...creates.map((each) => client(session, each)));
  }
  return { replica, session };
}

/** How many words of znodes' rows the work looks at. */
function looksOf(work: () => void): number {
  const word = Object.getOwnPropertyDescriptor(Rows.prototype, "word");
  const plain = word?.value as (this: Rows, row: number, column: number) => number;
  let looks = 0;
  Rows.prototype.word = function counting(row, column): number {
    looks += 1;
    return plain.call(this, row, column);
  };
  try {
    work();
  } finally {
    Rows.prototype.word = plain;
  }
  return looks;
}

test.serial("getAllChildrenNumber looks at as much in a large tree as in a small one", (t) => {
  const looks = [BATCH, 40 * BATCH].map((count) => {
    const { replica } = filled(count);
    const read = { kind: "getAllChildrenNumber", path: "/app" } as const;
    t.deepEqual(replica.read(read), [{ kind: "count", count: count + 1 }]);
    return looksOf(() => replica.read(read));
  });
  isAlike(t, looks);
});

test.serial("a new quota looks at as much in a large tree as in a small one", (t) => {
  const looks = [BATCH, 40 * BATCH].map((count) => {
    const { replica, session } = filled(count);
    replica.do(session, create(STATS, { data: null }));
    t.like(replica.data(STATS), { data: bytes(`count=${count + 2},bytes=${count}`) });
    replica.do(session, remove(STATS));
    const record = replica.record([client(session, create(STATS))]);
    return looksOf(() => replica.receive({ kind: "committed", records: [record] }));
  });
  isAlike(t, looks);
});

/** Rows of others in a bucket are passed on the way to a name. */
function isAlike(t: ExecutionContext, [few = 0, many = Infinity]: readonly number[]): void {
  t.true(many < few + 50, `${few} and ${many}`);
}
