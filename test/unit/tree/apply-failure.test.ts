/** An operation that cannot be applied: it is named and stops the node, and skipped where an operator wants it. */
import test from "ava";
import { APPLY_FAILED } from "../../../actors/tree/apply/apply-failure.ts";
import { Code } from "../../../protocol/codes.ts";
import type { Operation } from "../../../protocol/operations.ts";
import { encodeRecord, recordHeader } from "../../../protocol/record.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { crc32 } from "node:zlib";
import { cut, load } from "../../support/snapshots.ts";
import { appliedOf, client, create, Replica } from "../../support/replica.ts";

/** No gateway lets it through, and no tree can apply it: its path is a number. */
const IMPOSSIBLE = {
  kind: "setData",
  path: 7 as unknown as string,
  data: null,
  version: -1,
} as const;

function stopReason(effects: readonly Effect[]): string {
  const stop = effects.find((effect) => effect.kind === "stopNode");
  return stop?.kind === "stopNode" ? stop.reason : "";
}

/** A record of two good operations, and between them one that cannot be applied. */
function record(replica: Replica): { readonly bytes: Uint8Array; readonly failing: Zxid } {
  const session = replica.session();
  const failing = (replica.lastZxid + 2) as Zxid;
  const operations: Operation[] = [
    client(session, create("/before")),
    client(session, IMPOSSIBLE),
    client(session, create("/after")),
  ];
  return { bytes: replica.record(operations), failing };
}

test("an operation that cannot be applied stops its node, and is named", (t) => {
  const replica = new Replica();
  const { bytes, failing } = record(replica);
  const effects = replica.receive({ kind: "committed", records: [bytes] });
  const zxid = `0x${failing.toString(16)}`;
  t.regex(
    stopReason(effects),
    new RegExp(`zxid ${zxid} \\(setData of "7", in the record 0x2 to 0x4\\)`),
  );
  const event = effects.find((effect) => effect.kind === "log");
  t.like(event, { level: "error", event: APPLY_FAILED, detail: { zxid, record: "0x2" } });
  t.deepEqual(appliedOf(effects), []);
});

test("an operation that is to be skipped is, with an error for its client, and nothing else", (t) => {
  const skips = new Set([3 as Zxid]);
  const replica = new Replica({ skips });
  const { bytes } = record(replica);
  const effects = replica.receive({ kind: "committed", records: [bytes] });
  t.is(stopReason(effects), "");
  t.like(appliedOf(effects)[0]?.results, [
    { kind: "created", path: "/before" },
    { kind: "error", code: Code.systemError },
    { kind: "created", path: "/after" },
  ]);
});

test("a record that cannot be read is skipped as a whole by its first zxid", (t) => {
  const make = (skips: ReadonlySet<Zxid>): readonly Effect[] => {
    const replica = new Replica({ skips });
    const { bytes } = record(replica);
    const payload = new Uint8Array([0x81, 0x81, 0x18]);
    const records = [encodeRecord(recordHeader(bytes), payload, crc32)];
    return replica.receive({ kind: "committed", records });
  };
  t.regex(stopReason(make(new Set())), /zxid 0x2 \(the whole record/);
  t.regex(stopReason(make(new Set([3 as Zxid]))), /zxid 0x2 \(the whole record/);
  const effects = make(new Set([2 as Zxid]));
  t.is(stopReason(effects), "");
  const codes = appliedOf(effects)[0]?.results.map(
    (result) => result.kind === "error" && result.code,
  );
  t.deepEqual(codes, [Code.systemError, Code.systemError, Code.systemError]);
});

test("what was skipped is part of the state: digests tell it, and snapshots carry it", (t) => {
  const skipping = new Replica({ skips: new Set([2 as Zxid]) });
  const other = new Replica();
  for (const replica of [skipping, other]) {
    replica.session();
    replica.do(1 as never, { kind: "sync", path: "/" });
    t.is(replica.lastZxid, 2 as Zxid);
  }
  t.not(skipping.digest(), other.digest());
  const loaded = new Replica();
  load(loaded, cut(skipping));
  t.is(loaded.digest(), skipping.digest());
});
