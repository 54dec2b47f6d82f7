/** As much of `node:crypto` as simulated nodes and clients use: passwords are hashed by SHA-1, as ZooKeeper does. */
import { sha1 } from "@noble/hashes/legacy.js";
import { Buffer } from "./buffer.ts";

const NAME = "sha1";

class Hash {
  readonly #hash = sha1.create();

  update(data: string | Uint8Array): this {
    this.#hash.update(typeof data === "string" ? new TextEncoder().encode(data) : data);
    return this;
  }

  digest(): InstanceType<typeof Buffer>;
  digest(encoding: "base64"): string;
  digest(encoding?: "base64"): string | InstanceType<typeof Buffer> {
    const bytes = Buffer.from(this.#hash.digest());
    return encoding === undefined ? bytes : bytes.toString(encoding);
  }
}

export function createHash(name: string): Hash {
  if (name !== NAME) throw new Error(`a simulated node hashes by ${NAME} alone, not by ${name}`);
  return new Hash();
}

export function getHashes(): readonly string[] {
  return [NAME];
}
