/** The newest records, kept in memory up to a number of bytes, for delivery and for peers that have missed some. */
import type { Zxid } from "../../protocol/zxid.ts";

export class RecentRecords {
  readonly #records = new Map<Zxid, Uint8Array>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(lastZxid: Zxid, record: Uint8Array): void {
    this.#records.set(lastZxid, record);
    this.#bytes += record.length;
    for (const [oldest, bytes] of this.#records) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#records.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }

  get(lastZxid: Zxid): Uint8Array | undefined {
    return this.#records.get(lastZxid);
  }

  /** Must be called at a truncation: records that the log no longer holds must be neither sent nor delivered. */
  removeAfter(zxid: Zxid): void {
    for (const [lastZxid, record] of this.#records) {
      if (lastZxid <= zxid) continue;
      this.#records.delete(lastZxid);
      this.#bytes -= record.length;
    }
  }
}
