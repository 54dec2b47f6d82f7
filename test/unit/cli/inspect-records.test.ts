/** The list of records and operations of `zooid inspect`. */
import test from "ava";
import { drive } from "../../../server/offline/drive.ts";
import { textOutput } from "../../../cli/inspect/output.ts";
import { RecordList } from "../../../cli/inspect/records.ts";
import { encodeBatch } from "../../../protocol/batch.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { Operation, ZnodeOperation } from "../../../protocol/operations.ts";
import { encodeRecord } from "../../../protocol/record.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { checksum, logWith, server2, zxid } from "../log/harness.ts";
import {
  changed,
  type Files,
  flip,
  lookAt,
  SEGMENT,
  WHOLE,
  WRITE_BYTES,
} from "./inspected-folder.ts";

async function list(
  files: Files,
  selection: { from?: Zxid; limit?: number; operations?: boolean },
): Promise<RecordList> {
  const { from = 0 as Zxid, limit = Number.POSITIVE_INFINITY, operations = false } = selection;
  const look = await lookAt(files);
  const found = new RecordList({ from, limit, operations }, textOutput);
  await drive(found.walk(look, checksum), new MemoryDisk({ files }), () =>
    Promise.resolve(!found.isDone),
  );
  return found;
}

test("records are listed from a zxid on, across segments, and as many as asked for", async (t) => {
  const { lines } = await list(WHOLE, { from: zxid(1, 30), limit: 4 });
  t.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    ["0x10000001e", "0x10000001f", "0x100000020", "0x100000021"],
  );
  t.is((await list(WHOLE, {})).lines.length, 80);
  t.is((await list(WHOLE, { from: zxid(1, 80) })).lines.length, 0);
});

test("records after a damaged one are listed too", async (t) => {
  const files = changed((each) => flip(each, SEGMENT, 5 * WRITE_BYTES + 80));
  t.is((await list(files, {})).lines.length, 79);
});

const create = (path: string, data: string | null): ZnodeOperation => ({
  kind: "create",
  path,
  data: data === null ? null : new TextEncoder().encode(data),
  acl: OPEN_ACL,
  mode: { ephemeral: true, sequential: false },
});

/** A folder whose log has the barrier and one batch. */
function folderOf(payload: Uint8Array, count: number): Files {
  const disk = new MemoryDisk();
  const log = logWith(0, disk);
  const [firstZxid, lastZxid] = [zxid(1, 1), zxid(1, count)];
  const submitter = { server: server2, lane: 1, incarnation: 9 };
  const header = { firstZxid, lastZxid, prevZxid: zxid(1, 0), timeMs: 5000, submitter, seq: 4 };
  const record = encodeRecord({ kind: "batch", ...header }, payload, checksum);
  log.ask({ kind: "append", records: [record] });
  return disk.snapshot();
}

test("operations are shown with their zxids and sessions, and without passwords", async (t) => {
  const session = zxid(1, 1) as number as SessionId;
  const of = { kind: "client", session, attachedAt: zxid(1, 1) } as const;
  const operations: Operation[] = [
    { kind: "createSession", timeoutMs: 4000, password: new Uint8Array(16).fill(0x61) },
    { ...of, operation: create("/a b", "x\u202ey\n") },
    {
      ...of,
      operation: {
        kind: "multi",
        operations: [create("/c", null), { kind: "check", path: "/c", version: 2 }],
      },
    },
    { ...of, operation: { kind: "setData", path: "/c", data: Uint8Array.of(0, 255), version: -1 } },
  ];
  const { lines, problems } = await list(folderOf(encodeBatch(operations), 4), {
    from: zxid(1, 1),
    operations: true,
  });
  t.deepEqual(problems, []);
  t.deepEqual(lines.slice(1), [
    "  0x100000001 createSession timeoutMs=4000",
    '  0x100000002 create "/a b" data="x\\u202ey\\n" mode=ephemeral acl=world:anyone:31 session=0x100000001',
    "  0x100000003 multi operations=2 session=0x100000001",
    "    create /c data=null mode=ephemeral acl=world:anyone:31",
    "    check /c version=2",
    "  0x100000004 setData /c data=0x00ff version=-1 session=0x100000001",
  ]);
  t.regex(
    lines[0] ?? "",
    /^0x100000001-0x100000004 1970-01-01T00:00:05.000Z node=2 lane=1 incarnation=9 seq=4 bytes=\d+ log\.\S+ offset=\d+$/,
  );
});

test("a batch that cannot be decoded, or does not have as many operations as zxids, is a problem", async (t) => {
  const rubbish = await list(folderOf(Uint8Array.of(0xff, 1, 2), 1), { operations: true });
  const [problem] = rubbish.problems;
  t.like(problem, { kind: "batchUnreadable", file: SEGMENT, offset: 152, zxid: zxid(1, 1) });
  const two = encodeBatch([{ kind: "createSession", timeoutMs: 1, password: new Uint8Array(16) }]);
  const wrong = await list(folderOf(two, 2), { operations: true });
  t.regex(wrong.problems[0]?.what ?? "", /1 operations and takes 2 zxids/);
});
