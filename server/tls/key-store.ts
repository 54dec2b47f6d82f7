/** Reads the file with a node's key and certificates, or with the authorities that it trusts, or says what is wrong with it. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { DerError } from "../../runtime/connections/tls/der.ts";
import { NotSupportedError, readPkcs12, type StoreContent } from "./pkcs12.ts";
import { CipherError, WrongPasswordError } from "./pkcs12-secrets.ts";

export type StoreSource = {
  readonly file: string;
  readonly password: string;
  /** As it was written; undefined: the file is looked at. */
  readonly type: string | undefined;
};

export type StoreReading =
  | { readonly kind: "read"; readonly value: StoreContent }
  | {
      readonly kind: "refused";
      /** Which of the settings is wrong. */
      readonly about: "file" | "password" | "type";
      readonly rule: string;
      readonly hint: string;
    };

type Type = "PEM" | "PKCS12" | "JKS";

const TYPES: readonly string[] = ["PEM", "PKCS12", "JKS"];
const STORE_BYTES_MAX = 4 * 1024 * 1024;
/** The first bytes of Java's own formats, JKS and JCEKS. */
const JAVA_FORMATS: ReadonlySet<number> = new Set([0xfe_ed_fe_ed, 0xce_ce_ce_ce]);
const CONVERT =
  "convert it: keytool -importkeystore -srckeystore OLD -destkeystore NEW.p12 -deststoretype PKCS12";
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----/gs;

export function readStore(source: StoreSource): StoreReading {
  const named = source.type?.toUpperCase();
  if (named !== undefined && !TYPES.includes(named)) {
    const hint = "leave it out: the file is looked at";
    return refused("type", "must be PEM or PKCS12", hint);
  }
  let bytes: Buffer;
  try {
    bytes = readBounded(source.file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refused("file", `must be a file that can be read (${why})`, "check the path");
  }
  const type = typeOf(bytes);
  if (type === undefined) {
    return refused("file", "must be a key store of type PEM or PKCS12, and is neither", CONVERT);
  }
  if (type === "JKS") {
    return refused("file", "must not be a key store of type JKS, which only Java reads", CONVERT);
  }
  // Java reads PKCS12 also where it is told JKS, and many a store with that name is one.
  const isAsNamed = named === undefined || named === type || (named === "JKS" && type !== "PEM");
  if (!isAsNamed) return refused("type", `must be ${type}, which the file is`, "leave it out");
  return type === "PEM" ? readPem(bytes, source.password) : readPkcs12Store(bytes, source.password);
}

function readBounded(file: string): Buffer {
  const { size } = statSync(file);
  if (size > STORE_BYTES_MAX) throw new Error(`it has more than ${STORE_BYTES_MAX} bytes`);
  return readFileSync(file);
}

function typeOf(bytes: Buffer): Type | undefined {
  if (bytes.length >= 4 && JAVA_FORMATS.has(bytes.readUInt32BE(0))) return "JKS";
  if (bytes[0] === 0x30) return "PKCS12";
  return bytes.includes("-----BEGIN ") ? "PEM" : undefined;
}

function refused(
  about: "file" | "password" | "type",
  rule: string,
  hint: string,
): Extract<StoreReading, { readonly kind: "refused" }> {
  return { kind: "refused", about, rule, hint };
}

const WRONG_PASSWORD = refused(
  "password",
  "must be the password of the store, and is not",
  "a file with the password has it in its only line",
);

function readPem(bytes: Buffer, password: string): StoreReading {
  const certificates: X509Certificate[] = [];
  let key: KeyObject | undefined;
  for (const [block, label = ""] of bytes.toString("latin1").matchAll(PEM_BLOCK)) {
    const isKey = label.endsWith("PRIVATE KEY");
    if (!isKey && !label.endsWith("CERTIFICATE")) continue;
    try {
      if (isKey) key ??= createPrivateKey({ key: block, passphrase: password });
      else certificates.push(new X509Certificate(block));
    } catch (error) {
      if (isKey && isEncrypted(label, block)) return WRONG_PASSWORD;
      const why = error instanceof Error ? error.message : String(error);
      return refused("file", `has a ${label} that cannot be read (${why})`, "make the file again");
    }
  }
  return { kind: "read", value: { certificates, key } };
}

function isEncrypted(label: string, block: string): boolean {
  return label.startsWith("ENCRYPTED") || block.includes("ENCRYPTED");
}

function readPkcs12Store(bytes: Buffer, password: string): StoreReading {
  try {
    return { kind: "read", value: readPkcs12(bytes, password) };
  } catch (error) {
    if (error instanceof WrongPasswordError) return WRONG_PASSWORD;
    if (error instanceof CipherError || error instanceof NotSupportedError) {
      const rule = `must be encrypted in a way that is known here, and uses ${error.message}`;
      return refused("file", rule, `old ciphers are weak; ${CONVERT}`);
    }
    const why = error instanceof Error ? error.message : String(error);
    const rule = error instanceof DerError ? "is damaged, or no key store" : "cannot be read";
    return refused("file", `${rule} (${why})`, "make the file again");
  }
}
