/** How the parts of a PKCS12 store are encrypted. Sources: RFC 8018 (PBES2), RFC 7292, appendix B (the older way). */
import { createDecipheriv, createHash, pbkdf2Sync } from "node:crypto";
import {
  childOf,
  childrenOf,
  type Der,
  identifierOf,
  numberOf,
  Tag,
} from "../../runtime/connections/tls/der.ts";

export class WrongPasswordError extends Error {}

/** The store is encrypted in a way that is not known here. */
export class CipherError extends Error {}

export type Hash = {
  readonly name: string;
  readonly bytes: number;
  readonly blockBytes: number;
};

const SHA1: Hash = { name: "sha1", bytes: 20, blockBytes: 64 };

export const HASHES: ReadonlyMap<string, Hash> = new Map([
  ["1.3.14.3.2.26", SHA1],
  ["2.16.840.1.101.3.4.2.4", { name: "sha224", bytes: 28, blockBytes: 64 }],
  ["2.16.840.1.101.3.4.2.1", { name: "sha256", bytes: 32, blockBytes: 64 }],
  ["2.16.840.1.101.3.4.2.2", { name: "sha384", bytes: 48, blockBytes: 128 }],
  ["2.16.840.1.101.3.4.2.3", { name: "sha512", bytes: 64, blockBytes: 128 }],
]);

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const SHA1_3DES = "1.2.840.113549.1.12.1.3";

const CIPHERS: ReadonlyMap<string, { readonly name: string; readonly keyBytes: number }> = new Map([
  ["2.16.840.1.101.3.4.1.2", { name: "aes-128-cbc", keyBytes: 16 }],
  ["2.16.840.1.101.3.4.1.22", { name: "aes-192-cbc", keyBytes: 24 }],
  ["2.16.840.1.101.3.4.1.42", { name: "aes-256-cbc", keyBytes: 32 }],
  ["1.2.840.113549.3.7", { name: "des-ede3-cbc", keyBytes: 24 }],
]);

const PBKDF2_HASHES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.2.7", "sha1"],
  ["1.2.840.113549.2.8", "sha224"],
  ["1.2.840.113549.2.9", "sha256"],
  ["1.2.840.113549.2.10", "sha384"],
  ["1.2.840.113549.2.11", "sha512"],
]);

/** More would hold the start of a node up for longer than anybody waits. */
const ITERATIONS_MAX = 10_000_000;

/** `algorithm`: an identifier and its parameters. Throws a WrongPasswordError or a CipherError. */
export function decrypt(algorithm: Der, bytes: Buffer, password: string): Buffer {
  const identifier = identifierOf(childOf(algorithm, 0, Tag.objectIdentifier));
  const parameters = childOf(algorithm, 1, Tag.sequence);
  if (identifier === PBES2) return decryptPbes2(parameters, bytes, password);
  if (identifier !== SHA1_3DES) throw new CipherError(identifier);
  const salted = saltedBy(parameters);
  const key = derive(SHA1, password, { ...salted, purpose: KEY, length: 24 });
  const vector = derive(SHA1, password, { ...salted, purpose: VECTOR, length: 8 });
  return decipher("des-ede3-cbc", key, vector, bytes);
}

function decryptPbes2(parameters: Der, bytes: Buffer, password: string): Buffer {
  const derivation = childOf(parameters, 0, Tag.sequence);
  const encryption = childOf(parameters, 1, Tag.sequence);
  const how = identifierOf(childOf(derivation, 0, Tag.objectIdentifier));
  const cipherName = identifierOf(childOf(encryption, 0, Tag.objectIdentifier));
  const cipher = CIPHERS.get(cipherName);
  if (how !== PBKDF2) throw new CipherError(how);
  if (cipher === undefined) throw new CipherError(cipherName);
  const options = childOf(derivation, 1, Tag.sequence);
  const { salt, iterations } = saltedBy(options);
  const hash = pbkdf2Hash(options);
  const key = pbkdf2Sync(password, salt, iterations, cipher.keyBytes, hash);
  const vector = childOf(encryption, 1, Tag.octetString).content;
  return decipher(cipher.name, key, vector, bytes);
}

function pbkdf2Hash(options: Der): string {
  const named = childrenOf(options).find(({ tag }) => tag === Tag.sequence);
  if (named === undefined) return "sha1";
  const identifier = identifierOf(childOf(named, 0, Tag.objectIdentifier));
  const hash = PBKDF2_HASHES.get(identifier);
  if (hash === undefined) throw new CipherError(identifier);
  return hash;
}

/** Throws a CipherError if there are none, or more than anybody waits for. */
export function iterationsOf(der: Der): number {
  const iterations = numberOf(der);
  if (iterations < 1 || iterations > ITERATIONS_MAX)
    throw new CipherError(`${iterations} iterations`);
  return iterations;
}

type Salted = { readonly salt: Buffer; readonly iterations: number };

function saltedBy(parameters: Der): Salted {
  const salt = childOf(parameters, 0, Tag.octetString).content;
  return { salt, iterations: iterationsOf(childOf(parameters, 1, Tag.integer)) };
}

function decipher(name: string, key: Buffer, vector: Buffer, bytes: Buffer): Buffer {
  const cipher = createDecipheriv(name, key, vector);
  try {
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  } catch {
    throw new WrongPasswordError();
  }
}

const KEY = 1;
const VECTOR = 2;
const MAC = 3;

export function macKey(hash: Hash, password: string, salted: Salted): Buffer {
  return derive(hash, password, { ...salted, purpose: MAC, length: hash.bytes });
}

type Derivation = Salted & { readonly purpose: number; readonly length: number };

/** The way of RFC 7292, appendix B.2, to make keys of a password. */
function derive(hash: Hash, password: string, derivation: Derivation): Buffer {
  const { salt, iterations, purpose, length } = derivation;
  const { blockBytes } = hash;
  const text = Buffer.from(`${password}\0`, "utf16le").swap16();
  const mixed = Buffer.concat([filled(salt, blockBytes), filled(text, blockBytes)]);
  const result: Buffer[] = [];
  for (let made = 0; made < length; made += hash.bytes) {
    let digest: Buffer = Buffer.concat([Buffer.alloc(blockBytes, purpose), mixed]);
    for (let round = 0; round < iterations; round += 1) {
      digest = createHash(hash.name).update(digest).digest();
    }
    result.push(digest);
    addToBlocks(mixed, filled(digest, blockBytes).subarray(0, blockBytes));
  }
  return Buffer.concat(result).subarray(0, length);
}

/** The bytes again and again, up to a multiple of a block. */
function filled(bytes: Buffer, blockBytes: number): Buffer {
  const length = Math.ceil(bytes.length / blockBytes) * blockBytes;
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes);
}

/** Adds a number and one to each block, which is a number without an end: what overflows is lost. */
function addToBlocks(blocks: Buffer, number: Buffer): void {
  for (let start = 0; start < blocks.length; start += number.length) {
    let carry = 1;
    for (let index = number.length - 1; index >= 0; index -= 1) {
      const sum = (blocks[start + index] ?? 0) + (number[index] ?? 0) + carry;
      blocks[start + index] = sum & 0xff;
      carry = sum >> 8;
    }
  }
}
