/**
 * Reads a file of Apache ZooKeeper entry by entry, without holding more of it than an entry and what was read ahead. An entry is decoded
 * from the bytes at hand; if they end within it, more are read, and it is decoded again.
 */
import { JuteReader } from "../../protocol/jute.ts";
import { adler32 } from "../../protocol/zookeeper/files/adler32.ts";

/** The file is not what it must be. The message names file and offset, and says what is wrong there. */
export class ZookeeperFileDamaged extends Error {
  override readonly name = "ZookeeperFileDamaged";
}

/** The file ends too early, as one does that was being written when the server stopped. */
export class ZookeeperFileCutShort extends ZookeeperFileDamaged {}

/** An entry may be as long as `jute.maxbuffer` lets it: 1 MiB by default, and more where somebody has raised it. */
const ENTRY_BYTES_MAX: number = 64 * 1024 * 1024;
const AHEAD_BYTES: number = 1024 * 1024;

export class EntrySource {
  readonly name: string;
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #reader = new JuteReader();
  #bytes: Buffer = Buffer.alloc(0);
  #position = 0;
  #before = 0;
  #ended = false;
  #checksum = 1;

  constructor(name: string, stream: AsyncIterable<Uint8Array>) {
    this.name = name;
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** Where in the file the next entry begins; of a compressed file, in what it holds. */
  get offset(): number {
    return this.#before + this.#position;
  }

  /** The Adler-32 of everything that was taken. */
  get checksum(): number {
    return this.#checksum;
  }

  /** Whether there are no more bytes. */
  async isAtEnd(): Promise<boolean> {
    await this.#fill(1);
    return this.#position === this.#bytes.length;
  }

  /** How many bytes there are, at most `most`. */
  async has(most: number): Promise<number> {
    await this.#fill(most);
    return Math.min(most, this.#bytes.length - this.#position);
  }

  /** Takes the bytes that `decode` reads. Bytes that it returns are views that are valid until the next call. */
  async take<Entry>(what: string, decode: (reader: JuteReader) => Entry): Promise<Entry> {
    for (let needed = AHEAD_BYTES; ; needed *= 2) {
      const reader = this.#reader.reset(this.#bytes, this.#position);
      const before = reader.left;
      const entry = decode(reader);
      if (reader.fault === undefined) {
        const end = this.#position + before - reader.left;
        this.#checksum = adler32(this.#bytes.subarray(this.#position, end), this.#checksum);
        this.#position = end;
        return entry;
      }
      if (this.#ended && before < ENTRY_BYTES_MAX) {
        const { message } = this.damaged(`${what}: ${reader.fault}`);
        throw new ZookeeperFileCutShort(message);
      }
      if (before >= ENTRY_BYTES_MAX) throw this.damaged(`${what}: ${reader.fault}`);
      await this.#fill(Math.max(needed, before + 1));
    }
  }

  damaged(what: string, offset: number = this.offset): ZookeeperFileDamaged {
    return new ZookeeperFileDamaged(`${this.name} is damaged at offset ${offset}: ${what}`);
  }

  async #fill(length: number): Promise<void> {
    const held = this.#bytes.length - this.#position;
    if (held >= length || this.#ended) return;
    const pieces: Uint8Array[] = [this.#bytes.subarray(this.#position)];
    let bytes = held;
    while (bytes < length && !this.#ended) {
      const next = await this.#pieces.next();
      if (next.done === true) this.#ended = true;
      else {
        pieces.push(next.value);
        bytes += next.value.length;
      }
    }
    this.#before += this.#position;
    this.#position = 0;
    this.#bytes = Buffer.concat(pieces);
  }
}
