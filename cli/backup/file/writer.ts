/** Writes a backup, frame after frame, to an output. Nothing of it is kept in memory. */
import { createHash } from "node:crypto";
import { encodeFrameHeader, encodeHeader, type FrameKind } from "./frames.ts";
import { type BackupEnd, encodeEnd, encodeManifest, type Manifest } from "./manifest.ts";
import type { Output } from "./output.ts";

export class BackupWriter {
  readonly #output: Output;
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #chunks = 0;
  #records = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  async begin(manifest: Manifest): Promise<void> {
    await this.#write(encodeHeader());
    await this.#frame("manifest", encodeManifest(manifest));
  }

  /** The chunks of one snapshot, in sequence. */
  async chunk(bytes: Uint8Array): Promise<void> {
    this.#chunks += 1;
    await this.#frame("chunk", bytes);
  }

  /** The records that follow the snapshot, in order. */
  async record(bytes: Uint8Array): Promise<void> {
    this.#records += 1;
    await this.#frame("record", bytes);
  }

  /** Writes the last frame. The output is complete, and not yet finished. */
  async end(): Promise<BackupEnd> {
    const sha256 = this.#hash.copy().digest("hex");
    const end = { chunks: this.#chunks, records: this.#records, bytes: this.#bytes, sha256 };
    await this.#frame("end", encodeEnd(end));
    return end;
  }

  async #frame(kind: FrameKind, payload: Uint8Array): Promise<void> {
    await this.#write(encodeFrameHeader(kind, payload));
    await this.#write(payload);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#output.write(bytes);
  }
}
