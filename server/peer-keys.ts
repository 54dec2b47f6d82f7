/**
 * The keys with which nodes authenticate their messages to each other, from a file: one key a line, the first signs and all
 * verify, so that keys can be changed while the ensemble runs.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { ZooidError } from "../protocol/errors.ts";

/** A shorter key could be guessed. */
const KEY_BYTES_MIN = 32;
const KEYS_MAX = 8;
/** The length of an HMAC with SHA-256. */
export const TAG_BYTES = 32;

/** The file cannot be used; the message says why and what to do. */
export class PeerKeysError extends ZooidError {
  override readonly name = "PeerKeysError";
  readonly code = "ZOOID_PEER_KEYS";
  readonly retryable = false;
}

export class PeerKeys {
  readonly #keys: readonly KeyObject[];

  /** There must be at least one key. */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys.map((key) => createSecretKey(key));
  }

  sign(parts: readonly Uint8Array[]): Uint8Array {
    const [first] = this.#keys;
    if (first === undefined) throw new PeerKeysError("there is no key to sign with");
    return tagOf(first, parts);
  }

  verify(parts: readonly Uint8Array[], tag: Uint8Array): boolean {
    return this.#keys.some((key) => timingSafeEqual(tagOf(key, parts), tag));
  }
}

function tagOf(key: KeyObject, parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Throws a `PeerKeysError`. */
export function readPeerKeys(file: string): PeerKeys {
  const problem = (what: string): PeerKeysError => {
    const make = `make one with: (umask 077; openssl rand -hex 32 > ${file})`;
    return new PeerKeysError(`the file of peers' keys ${file} ${what}; ${make}`);
  };
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw problem(`cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  if ((statSync(file).mode & 0o007) !== 0) {
    throw problem(`may be read or written by everybody on this machine: chmod o-rwx ${file}`);
  }
  const keys: Uint8Array[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const written = line.trim();
    if (written === "" || written.startsWith("#")) continue;
    const isHex = /^(?:[0-9a-f]{2})+$/i.test(written);
    if (!isHex || written.length < 2 * KEY_BYTES_MIN) {
      // The line itself is a secret.
      throw problem(
        `has in line ${index + 1} no key of at least ${KEY_BYTES_MIN} bytes in hexadecimal`,
      );
    }
    keys.push(Buffer.from(written, "hex"));
  }
  if (keys.length === 0 || keys.length > KEYS_MAX) {
    throw problem(`has ${keys.length} keys, not 1 to ${KEYS_MAX}`);
  }
  return new PeerKeys(keys);
}
