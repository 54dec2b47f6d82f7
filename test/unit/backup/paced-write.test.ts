/** How a backup goes to a disk that a node may be waiting for. */
import test from "ava";
import { PIECE_BYTES, writePaced } from "../../../cli/backup/file/paced-write.ts";

/** A file whose writes take a part of what they are given, and whose syncs take a while. */
class RecordedFile {
  readonly written: Uint8Array[] = [];
  readonly pausesMs: number[] = [];
  readonly unsyncedMost: number[] = [];
  #unsynced = 0;
  #nowMs = 0;
  readonly #syncMs: number;

  constructor(syncMs: number) {
    this.#syncMs = syncMs;
  }

  get isSynced(): boolean {
    return this.#unsynced === 0;
  }

  readonly clock = {
    nowMs: (): number => this.#nowMs,
    sleep: async (ms: number): Promise<void> => {
      this.pausesMs.push(ms);
      this.#nowMs += ms;
    },
  };

  async write(bytes: Uint8Array): Promise<{ bytesWritten: number }> {
    const taken = bytes.slice(0, Math.max(1, Math.floor(bytes.length / 2)));
    this.written.push(taken);
    this.#unsynced += taken.length;
    return { bytesWritten: taken.length };
  }

  async datasync(): Promise<void> {
    this.unsyncedMost.push(this.#unsynced);
    this.#unsynced = 0;
    this.#nowMs += this.#syncMs;
  }
}

test("no more than a piece waits for the disk, and a pause is as long as the disk took", async (t) => {
  const bytes = Buffer.alloc(3 * PIECE_BYTES + 1, "zooid");
  const file = new RecordedFile(40);
  await writePaced(file, bytes, file.clock);
  t.true(Buffer.concat(file.written).equals(bytes));
  t.deepEqual(file.unsyncedMost, [PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 1]);
  t.deepEqual(file.pausesMs, [40, 40, 40, 40]);
  t.true(file.isSynced);
});

test("a disk that hangs does not keep a backup for longer than a second beyond that", async (t) => {
  const file = new RecordedFile(60_000);
  await writePaced(file, Buffer.alloc(1), file.clock);
  t.deepEqual(file.pausesMs, [1000]);
});

test("a disk that fails ends the write", async (t) => {
  const full = new Error("no space");
  const file = { write: () => Promise.reject(full), datasync: () => Promise.resolve() };
  t.is(await t.throwsAsync(writePaced(file, Buffer.alloc(1))), full);
});
