/**
 * Makes keys and certificates: those of an authority, and those that it issues. Keys are of the curve P-256, which every client of ZooKeeper and NATS
 * takes. pkijs writes the structures, and the system's cryptography makes the keys and signs.
 */
import {
  createHash,
  createPrivateKey,
  KeyObject,
  randomBytes,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import { BitString, Integer, OctetString, PrintableString, Utf8String } from "asn1js";
import {
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
  GeneralNames,
  type RelativeDistinguishedNames,
  Time,
} from "pkijs";

/** Both in PEM form. */
export type KeyAndCertificate = { readonly key: string; readonly certificate: string };

/** What it may be used for: to be connected to, to connect, or both. */
export type Purpose = "server" | "client" | "both";

export type Issue = {
  /** Whom it names: `CN=…`. */
  readonly commonName: string;
  /** The host names and addresses for which a server may show it. */
  readonly names: readonly string[];
  readonly purpose: Purpose;
  readonly from: Date;
  readonly until: Date;
};

type Key = webcrypto.CryptoKey;

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const SERIAL_BYTES = 16;
const { subtle } = webcrypto;

/** Object identifiers of RFC 5280 and RFC 4519. */
const COMMON_NAME = "2.5.4.3";
const SUBJECT_KEY = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
const SUBJECT_NAMES = "2.5.29.17";
const CONSTRAINTS = "2.5.29.19";
const AUTHORITY_KEY = "2.5.29.35";
const PURPOSES = "2.5.29.37";
const SERVER = "1.3.6.1.5.5.7.3.1";
const CLIENT = "1.3.6.1.5.5.7.3.2";

/** The first bits of a key usage: digitalSignature; keyCertSign and cRLSign. */
const USAGE_OF_LEAF = { bits: 0b1000_0000, unused: 7 };
const USAGE_OF_AUTHORITY = { bits: 0b0000_0110, unused: 1 };

/** A kind of name of RFC 5280, 4.2.1.6. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;
const YEAR_OF_LONG_TIMES = 2050;

/** The purpose that the object identifiers of a certificate's purposes say. */
export function purposeOf(identifiers: readonly string[]): Purpose {
  const serves = identifiers.includes(SERVER);
  if (serves && identifiers.includes(CLIENT)) return "both";
  return serves ? "server" : "client";
}

export async function makeAuthority(
  issue: Omit<Issue, "purpose" | "names">,
): Promise<KeyAndCertificate> {
  const pair = await subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const certificate = await draft(issue, pair.publicKey);
  certificate.issuer.typesAndValues = certificate.subject.typesAndValues;
  certificate.extensions?.push(
    // No authority below it: what it signs is a certificate of somebody.
    extension(CONSTRAINTS, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
    keyUsage(USAGE_OF_AUTHORITY),
  );
  return signed(certificate, pair, pair.privateKey);
}

/** Rejects if the authority's key is not of the kind that `makeAuthority` makes. */
export async function issueCertificate(
  authority: KeyAndCertificate,
  issue: Issue,
): Promise<KeyAndCertificate> {
  const issuer = Certificate.fromBER(derOf(authority.certificate));
  const signer = await subtle.importKey("pkcs8", pkcs8(authority.key), CURVE, false, ["sign"]);
  const pair = await subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const certificate = await draft(issue, pair.publicKey);
  certificate.issuer = issuer.subject;
  const { purpose, names } = issue;
  const purposes = [
    ...(purpose === "client" ? [] : [SERVER]),
    ...(purpose === "server" ? [] : [CLIENT]),
  ];
  certificate.extensions?.push(
    extension(CONSTRAINTS, new BasicConstraints({ cA: false }), true),
    keyUsage(USAGE_OF_LEAF),
    extension(PURPOSES, new ExtKeyUsage({ keyPurposes: purposes })),
    extension(
      AUTHORITY_KEY,
      new AuthorityKeyIdentifier({ keyIdentifier: new OctetString({ valueHex: keyName(issuer) }) }),
    ),
  );
  if (names.length > 0) {
    certificate.extensions?.push(
      extension(SUBJECT_NAMES, new GeneralNames({ names: names.map(generalName) })),
    );
  }
  return signed(certificate, pair, signer);
}

/** What all have, without an issuer. */
async function draft(
  { commonName, from, until }: Pick<Issue, "commonName" | "from" | "until">,
  publicKey: Key,
): Promise<Certificate> {
  const certificate = new Certificate({ version: 2 });
  // A serial number is positive, so its first bit is none.
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  certificate.serialNumber = new Integer({ valueHex: bufferOf(serial) });
  name(certificate.subject, commonName);
  certificate.notBefore = timeOf(from);
  certificate.notAfter = timeOf(until);
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  const own = new OctetString({ valueHex: keyName(certificate) });
  certificate.extensions = [extension(SUBJECT_KEY, { toSchema: () => own })];
  return certificate;
}

function name(subject: RelativeDistinguishedNames, commonName: string): void {
  const isPlain = /^[A-Za-z0-9 '()+,./:=?-]*$/.test(commonName);
  const value = isPlain
    ? new PrintableString({ value: commonName })
    : new Utf8String({ value: commonName });
  subject.typesAndValues.push(new AttributeTypeAndValue({ type: COMMON_NAME, value }));
}

function timeOf(date: Date): Time {
  // A certificate's times are whole seconds.
  const value = new Date(Math.floor(date.getTime() / 1000) * 1000);
  return new Time({ type: value.getUTCFullYear() < YEAR_OF_LONG_TIMES ? 0 : 1, value });
}

type Encodable = { toSchema(): { toBER(sizeOnly?: boolean): ArrayBuffer } };

function extension(extnID: string, value: Encodable, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: value.toSchema().toBER(false) });
}

function keyUsage({ bits, unused }: { readonly bits: number; readonly unused: number }): Extension {
  const value = new BitString({ valueHex: Uint8Array.of(bits).buffer, unusedBits: unused });
  return extension(KEY_USAGE, { toSchema: () => value }, true);
}

/** By which a certificate is found among others of the same name: RFC 5280, 4.2.1.2, method 1. */
function keyName({ subjectPublicKeyInfo }: Certificate): ArrayBuffer {
  const bits = subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView;
  return bufferOf(createHash("sha1").update(bits).digest());
}

function generalName(name: string): GeneralName {
  if (isIP(name) === 0) return new GeneralName({ type: DNS_NAME, value: name });
  const bytes = isIPv4(name) ? name.split(".").map(Number) : bytesOfIpv6(name);
  const value = new OctetString({ valueHex: Uint8Array.from(bytes).buffer });
  return new GeneralName({ type: IP_ADDRESS, value });
}

/** A URL has the shortest form of an address, in which at most one run of zeros is left out. */
function bytesOfIpv6(address: string): readonly number[] {
  const shortest = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [left = [], right = []] = shortest
    .split("::")
    .map((side) => (side === "" ? [] : side.split(":").map((group) => Number.parseInt(group, 16))));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]);
}

async function signed(
  certificate: Certificate,
  { privateKey }: webcrypto.CryptoKeyPair,
  signer: Key,
): Promise<KeyAndCertificate> {
  await certificate.sign(signer, "SHA-256");
  const der = Buffer.from(certificate.toSchema(false).toBER(false));
  return {
    key: String(KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" })),
    certificate: new X509Certificate(der).toString(),
  };
}

function derOf(pem: string): ArrayBuffer {
  return bufferOf(new X509Certificate(pem).raw);
}

function pkcs8(pem: string): Buffer {
  return createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
