/**
 * Reads a key store of type PKCS12, as `keytool` and `openssl pkcs12` write it: the certificates and the first key. Node reads one too, but
 * only if it has a key, which a trust store has not. Source: RFC 7292.
 */
import { createHmac, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import {
  childOf,
  childrenOf,
  type Der,
  expectTag,
  identifierOf,
  readDer,
  Tag,
} from "../../runtime/connections/tls/der.ts";
import { decrypt, HASHES, iterationsOf, macKey, WrongPasswordError } from "./pkcs12-secrets.ts";

export type StoreContent = {
  readonly certificates: readonly X509Certificate[];
  readonly key: KeyObject | undefined;
};

const DATA = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
const KEY_BAG = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3";
const X509_CERTIFICATE = "1.2.840.113549.1.9.22.1";

/** Throws a DerError if it is none, a WrongPasswordError, or a NotSupportedError with what it uses. */
export function readPkcs12(bytes: Buffer, password: string): StoreContent {
  const store = readDer(bytes);
  const safe = octetsOf(contentOf(childOf(store, 1, Tag.sequence), DATA));
  const [, , mac] = childrenOf(store);
  if (mac !== undefined) checkMac(mac, safe, password);
  const certificates: X509Certificate[] = [];
  let key: KeyObject | undefined;
  for (const part of childrenOf(readDer(safe))) {
    for (const bag of childrenOf(readDer(bagsOf(part, password)))) {
      const kind = identifierOf(childOf(bag, 0, Tag.objectIdentifier));
      const value = childOf(childOf(bag, 1, Tag.context0), 0, Tag.sequence);
      if (kind === CERTIFICATE_BAG) certificates.push(...certificateOf(value));
      else if (kind === KEY_BAG) key ??= keyOf(value.whole);
      else if (kind === SHROUDED_KEY_BAG) key ??= keyOf(shroudedKey(value, password));
    }
  }
  return { certificates, key };
}

/** `info`: a kind and the content of that kind. */
function contentOf(info: Der, kind: string): Der {
  const found = identifierOf(childOf(info, 0, Tag.objectIdentifier));
  if (found !== kind) throw new NotSupportedError(`content of the kind ${found}`);
  const [content] = childrenOf(childOf(info, 1, Tag.context0));
  if (content === undefined) throw new NotSupportedError("content that is not there");
  return content;
}

export class NotSupportedError extends Error {}

function octetsOf(der: Der): Buffer {
  return expectTag(der, Tag.octetString).content;
}

/** The bags of a part of the store, which is encrypted or not. */
function bagsOf(part: Der, password: string): Buffer {
  const kind = identifierOf(childOf(part, 0, Tag.objectIdentifier));
  if (kind === DATA) return octetsOf(contentOf(part, DATA));
  const info = childOf(contentOf(part, ENCRYPTED_DATA), 1, Tag.sequence);
  const algorithm = childOf(info, 1, Tag.sequence);
  const { content } = childOf(info, 2, Tag.contextOctets0);
  return decrypt(algorithm, content, password);
}

function certificateOf(bag: Der): readonly X509Certificate[] {
  if (identifierOf(childOf(bag, 0, Tag.objectIdentifier)) !== X509_CERTIFICATE) return [];
  const bytes = octetsOf(childOf(childOf(bag, 1, Tag.context0), 0, Tag.octetString));
  return [new X509Certificate(bytes)];
}

function shroudedKey(info: Der, password: string): Buffer {
  const bytes = octetsOf(childOf(info, 1, Tag.octetString));
  return decrypt(childOf(info, 0, Tag.sequence), bytes, password);
}

function keyOf(pkcs8: Buffer): KeyObject {
  return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
}

/** Nothing is checked of a kind that is not known here: decryption notices a wrong password as well. */
function checkMac(mac: Der, content: Buffer, password: string): void {
  const digest = childOf(mac, 0, Tag.sequence);
  const hash = HASHES.get(
    identifierOf(childOf(childOf(digest, 0, Tag.sequence), 0, Tag.objectIdentifier)),
  );
  if (hash === undefined) return;
  const [, salt, rounds] = childrenOf(mac);
  const iterations = rounds === undefined ? 1 : iterationsOf(rounds);
  const key = macKey(hash, password, { salt: octetsOf(salt ?? digest), iterations });
  const expected = createHmac(hash.name, key).update(content).digest();
  if (!expected.equals(octetsOf(childOf(digest, 1, Tag.octetString)))) {
    throw new WrongPasswordError();
  }
}
