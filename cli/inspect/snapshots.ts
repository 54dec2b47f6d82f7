/** Verifies snapshots: each chunk with the log actor's own check, then its entries with the rules of a replica that loads them. */
import { snapshotName } from "../../actors/log/format/files.ts";
import type { Procedure } from "../../actors/log/format/procedure.ts";
import { verifySnapshot } from "../../actors/log/format/snapshot-file.ts";
import { unreachable } from "../../protocol/assert.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { Crc32 } from "../../protocol/record.ts";
import type { ChunkHeader } from "../../protocol/snapshot.ts";
import {
  ChunkReader,
  type SnapshotEntry,
  type SnapshotHead,
} from "../../protocol/snapshot-entries.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { type SnapshotFile, whyNot } from "../../server/offline/log-files.ts";
import type { Finding, SnapshotFacts } from "./findings.ts";
import type { Chain } from "./segments.ts";

export type SnapshotLook = { readonly facts: SnapshotFacts; readonly problem: Finding | undefined };

export function* lookAtSnapshot(at: SnapshotFile, crc32: Crc32): Procedure<SnapshotLook> {
  const { file, size, zxid } = at;
  const content = new SnapshotContent(zxid);
  const problem = yield* findProblem(at, content, crc32);
  const { chunks, znodes, sessions, submitters, configuration } = content;
  const facts: SnapshotFacts = {
    file,
    zxid,
    size,
    chunks,
    znodes,
    sessions,
    submitters,
    configuration,
    timeMs: content.head?.timeMs,
    valid: problem === undefined,
  };
  return { facts, problem };
}

function* findProblem(
  { file, size, zxid }: SnapshotFile,
  content: SnapshotContent,
  crc32: Crc32,
): Procedure<Finding | undefined> {
  const kind = "snapshotDamaged";
  try {
    const verdict = yield* verifySnapshot({ name: file, size, zxid }, crc32, (bytes, header) =>
      content.take(bytes, header),
    );
    if (verdict.kind === "damaged") {
      const what = CHUNK_FAULTS[verdict.fault] ?? verdict.fault;
      return { kind, file, chunk: content.chunks, offset: verdict.position, zxid, what };
    }
  } catch (error) {
    return { kind: "fileUnreadable", file, zxid, what: whyNot(error) };
  }
  const fault = content.fault ?? content.wrongCount();
  return fault === undefined ? undefined : { kind, file, zxid, ...fault };
}

const CHUNK_FAULTS: Readonly<Record<string, string>> = {
  incomplete: "the file ends within this chunk, or before the last one",
  badMagic: "no chunk begins here",
  badLength: "no chunk has this length",
  badChecksum: "the checksum of this chunk is wrong",
  badVersion: "a chunk of a format version that this zooid does not know",
  outOfPlace: "a chunk of another snapshot, or out of sequence",
};

type Fault = { readonly chunk: number; readonly offset: number; readonly what: string };

/** Counts the entries of the chunks, and keeps the first fault. */
class SnapshotContent {
  chunks = 0;
  znodes = 0;
  sessions = 0;
  submitters = 0;
  head: SnapshotHead | undefined;
  configuration: Configuration | undefined;
  fault: Fault | undefined;
  readonly #zxid: Zxid;
  #position = 0;

  constructor(zxid: Zxid) {
    this.#zxid = zxid;
  }

  take(bytes: Uint8Array, { entries }: ChunkHeader): void {
    try {
      const reader = new ChunkReader(bytes);
      let read = 0;
      for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
        this.#add(entry);
        read += 1;
      }
      if (read !== entries) this.#note(`${read} entries, and the chunk says ${entries}`);
    } catch (error) {
      this.#note(
        `its checksum is right, but ${error instanceof Error ? error.message : "it is no chunk"}`,
      );
    }
    this.chunks += 1;
    this.#position += bytes.length;
  }

  /** Returns the fault if a count differs from the one in the head; undefined if all are equal. */
  wrongCount(): Fault | undefined {
    const { head, znodes, sessions, submitters } = this;
    const at = { chunk: 0, offset: 0 };
    if (head === undefined) return { ...at, what: "it does not say what it holds" };
    const isWhole =
      head.znodes === znodes && head.sessions === sessions && head.submitters === submitters;
    if (isWhole) return undefined;
    const what = `it holds ${znodes} znodes, ${sessions} sessions and ${submitters} submitters, and says ${head.znodes}, ${head.sessions} and ${head.submitters}`;
    return { ...at, what };
  }

  #add(entry: SnapshotEntry): void {
    switch (entry.kind) {
      case "head":
        if (this.head !== undefined) this.#note("a second head");
        this.head = entry.head;
        return;
      case "configuration":
        if (this.configuration !== undefined) this.#note("a second configuration");
        this.configuration = entry.configuration;
        return;
      case "session":
        this.sessions += 1;
        this.#checkPast(entry.session.attachedAt);
        return;
      case "requests":
        return;
      case "kept":
        this.#checkPast(entry.kept.zxid);
        return;
      case "submitter":
        this.submitters += 1;
        return;
      case "skipped":
        this.#checkPast(entry.zxid);
        return;
      case "znode":
        this.znodes += 1;
        this.#checkPast(Math.max(entry.znode.czxid, entry.znode.mzxid, entry.znode.pzxid) as Zxid);
        return;
      default:
        unreachable(entry);
    }
  }

  #checkPast(zxid: Zxid): void {
    if (zxid > this.#zxid) this.#note(`an entry of zxid ${formatZxid(zxid)}, which came later`);
  }

  #note(what: string): void {
    this.fault ??= { chunk: this.chunks, offset: this.#position, what };
  }
}

/** The zxids of the snapshots at which a record of the log ends: there a start can continue from the snapshot with the log. */
export class Joints {
  readonly #wanted: ReadonlySet<Zxid>;
  readonly #found = new Set<Zxid>();

  constructor(snapshots: readonly SnapshotFile[]) {
    this.#wanted = new Set(snapshots.map(({ zxid }) => zxid));
  }

  note(zxid: Zxid): void {
    if (this.#wanted.has(zxid)) this.#found.add(zxid);
  }

  has(zxid: Zxid): boolean {
    return this.#found.has(zxid);
  }
}

/** Notes where the log and the snapshots do not join. `base` is the zxid after which the log begins. */
export function judgeJoints(
  chain: Chain,
  { base, end }: { readonly base: Zxid; readonly end: Zxid },
  snapshots: readonly SnapshotLook[],
  joints: Joints,
): void {
  let begins = base === 0;
  for (const { facts } of snapshots) {
    const { file, zxid, valid } = facts;
    const isLost = chain.gaps.some(({ after, upTo }) => zxid > after && zxid <= upTo);
    if (zxid < base) {
      const what = `older than what is left of the log, which begins after zxid ${formatZxid(base)}`;
      chain.notices.push({ kind: "snapshotOld", file, zxid, what });
    } else if (zxid > end) {
      const what = `the log ends at zxid ${formatZxid(end)}, before the snapshot that was cut from it`;
      chain.problems.push({ kind: "snapshotAhead", file, zxid, what });
      begins ||= valid;
    } else if (joints.has(zxid)) {
      begins ||= valid;
    } else if (!isLost) {
      const what = "no record of the log ends at its zxid, so the log does not go on from it";
      chain.problems.push({ kind: "snapshotUnjoined", file, zxid, what });
    }
  }
  if (begins) return;
  const what = `the log begins after zxid ${formatZxid(base)}, and there is no intact snapshot from which it goes on`;
  chain.problems.push({ kind: "logWithoutBeginning", file: snapshotName(base), zxid: base, what });
}
