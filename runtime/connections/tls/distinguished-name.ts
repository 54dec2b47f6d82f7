/**
 * The name in a certificate as Java prints it (`X500Principal.getName()`), which is how ZooKeeper names a client: RFC 2253, the last part
 * first. Access control lists hold such names, so each character counts. Sources: RFC 2253, and `toRFC2253String` of AVA, RDN and
 * X500Name in OpenJDK.
 */
import { childOf, childrenOf, type Der, identifierOf, readDer, Tag } from "./der.ts";

/** The kinds of parts that have a short name in RFC 2253. Others are written by their identifier. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["0.9.2342.19200300.100.1.1", "UID"],
]);

const TEXTS: ReadonlySet<number> = new Set([
  Tag.utf8String,
  Tag.printableString,
  Tag.t61String,
  Tag.ia5String,
  Tag.generalString,
  Tag.bmpString,
]);

/** Throws a DerError if the certificate cannot be read. */
export function subjectName(certificate: Buffer): string {
  const fields = childrenOf(childOf(readDer(certificate), 0, Tag.sequence));
  // The version, which is tagged, is left out of certificates of version 1. Before the subject come serial number, algorithm, issuer, validity.
  const at = fields[0]?.tag === Tag.context0 ? 5 : 4;
  const subject = fields[at];
  return subject === undefined ? "" : nameText(subject);
}

/** `name`: a sequence of sets of pairs of a kind and a value. */
function nameText(name: Der): string {
  const parts = childrenOf(name).map((set) => childrenOf(set).map(pairText).join("+"));
  return parts.toReversed().join(",");
}

function pairText(pair: Der): string {
  const kind = identifierOf(childOf(pair, 0, Tag.objectIdentifier));
  const [, value] = childrenOf(pair);
  const name = NAMES.get(kind);
  if (value === undefined) return `${name ?? kind}=`;
  if (name === undefined || !TEXTS.has(value.tag)) {
    return `${name ?? kind}=#${value.whole.toString("hex")}`;
  }
  // Java reads the bytes of every kind of text as UTF-8 here, also those of UTF-16.
  return `${name}=${escaped(value.content.toString("utf8"))}`;
}

function escaped(text: string): string {
  const inner = text.replace(/[,=+<>#;"\\]/g, "\\$&").replaceAll("\0", "\\00");
  const isEdge = (character: string): boolean => character === " " || character === "\r";
  let lead = 0;
  while (lead < inner.length && isEdge(inner.charAt(lead))) lead += 1;
  let end = inner.length;
  while (end > lead && isEdge(inner.charAt(end - 1))) end -= 1;
  const edge = (characters: string): string => characters.replace(/[ \r]/g, "\\$&");
  return edge(inner.slice(0, lead)) + inner.slice(lead, end) + edge(inner.slice(end));
}
