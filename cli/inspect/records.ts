/** Lists the records of a log from one zxid on, up to a limit, with or without their operations. */
import type { Procedure } from "../../actors/log/format/procedure.ts";
import type { ScannedRecord } from "../../actors/log/format/scan.ts";
import { decodeBatch } from "../../protocol/batch.ts";
import { type Crc32, recordHeader, recordPayload } from "../../protocol/record.ts";
import { type Zxid, zxidAfter } from "../../protocol/zxid.ts";
import type { SegmentFile } from "../../server/offline/log-files.ts";
import type { Finding, Look } from "./findings.ts";
import type { Output } from "./output.ts";
import { beginChain, walkSegments } from "./segments.ts";

export type Selection = {
  /** Records whose last zxid is below this one are left out. */
  readonly from: Zxid;
  readonly limit: number;
  readonly operations: boolean;
};

export class RecordList {
  /** Lines that have not been printed yet. */
  lines: string[] = [];
  /** One problem for each batch whose operations cannot be read. */
  readonly problems: Finding[] = [];
  #left: number;
  readonly #selection: Selection;
  readonly #output: Output;

  constructor(selection: Selection, output: Output) {
    this.#selection = selection;
    this.#output = output;
    this.#left = selection.limit;
  }

  /** Whether the limit is reached. */
  get isDone(): boolean {
    return this.#left <= 0;
  }

  /** Walks along the segments of a look. The walk passes the same damaged places again, but only the look reports them. */
  walk(look: Look, crc32: Crc32): Procedure {
    const files = look.segments.filter(
      ({ lastZxid }) => lastZxid !== undefined && lastZxid >= this.#selection.from,
    );
    return this.#walkFiles(files, crc32);
  }

  *#walkFiles(files: readonly SegmentFile[], crc32: Crc32): Procedure {
    for (const file of files) {
      const chain = beginChain(0 as Zxid, crc32, (name, record, bytes) => {
        if (!this.isDone && record.lastZxid >= this.#selection.from) {
          this.#left -= 1;
          this.#add(name, record, bytes);
        }
      });
      yield* walkSegments(chain, [file]);
    }
  }

  #add(file: string, { offset, length }: ScannedRecord, bytes: Uint8Array): void {
    const header = recordHeader(bytes);
    this.lines.push(this.#output.record({ file, offset, bytes: length, header }));
    if (!this.#selection.operations || header.kind !== "batch") return;
    const { firstZxid, lastZxid } = header;
    const unreadable = (what: string): void => {
      this.problems.push({ kind: "batchUnreadable", file, offset, zxid: lastZxid, what });
    };
    try {
      const operations = decodeBatch(recordPayload(bytes));
      for (const [index, operation] of operations.entries()) {
        this.lines.push(...this.#output.operation(zxidAfter(firstZxid, index), operation));
      }
      const count = lastZxid - firstZxid + 1;
      if (operations.length === count) return;
      unreadable(`the batch has ${operations.length} operations and takes ${count} zxids`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      unreadable(`the record is intact, but its operations cannot be read: ${why}`);
    }
  }
}
