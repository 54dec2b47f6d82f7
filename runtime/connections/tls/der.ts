/** Reads DER, the binary form of certificates and key stores: tag, length, content. Source: X.690, chapters 8 and 10. */

export type Der = {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
};

export const Tag = {
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  generalString: 0x1b,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
  /** The first member of a choice that is tagged with its number, and its content. */
  context0: 0xa0,
  /** As `context0`, of an octet string without a tag of its own. */
  contextOctets0: 0x80,
} as const;

export class DerError extends Error {}

/** Lengths take at most so many bytes here: a value has less than 4 GiB. */
const LENGTH_BYTES_MAX = 4;

function readAt(bytes: Buffer, at: number): { readonly der: Der; readonly end: number } {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError("a value is cut off");
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const from = at + 2 + lengthBytes;
  if (lengthBytes > LENGTH_BYTES_MAX || first === 0x80 || from > bytes.length) {
    throw new DerError("a length is not one of DER");
  }
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const end = from + length;
  if (end > bytes.length) throw new DerError("a value is longer than what it is part of");
  return { der: { tag, content: bytes.subarray(from, end), whole: bytes.subarray(at, end) }, end };
}

/** Reads the first value; what follows it is not looked at. Throws a DerError. */
export function readDer(bytes: Buffer): Der {
  return readAt(bytes, 0).der;
}

/** Reads the values of which the content consists. */
export function childrenOf({ content }: Der): readonly Der[] {
  const children: Der[] = [];
  for (let at = 0; at < content.length; ) {
    const { der, end } = readAt(content, at);
    children.push(der);
    at = end;
  }
  return children;
}

/** Throws a DerError if there is no such child, or it has another tag. */
export function childOf(parent: Der, index: number, tag: number): Der {
  return expectTag(childrenOf(parent)[index], tag);
}

export function expectTag(der: Der | undefined, tag: number): Der {
  if (der?.tag === tag) return der;
  throw new DerError(`tag ${der?.tag} where ${tag} must be`);
}

/** Reads a number that is small enough to be exact. */
export function numberOf({ content }: Der): number {
  if (content.length === 0 || content.length > 6) throw new DerError("a number is too large");
  return content.readIntBE(0, content.length);
}

/** Returns an object identifier as `2.5.4.3`. */
export function identifierOf(der: Der): string {
  const { content } = expectTag(der, Tag.objectIdentifier);
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of content) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(number);
      number = 0n;
    }
  }
  const [first = 0n, ...others] = numbers;
  const arc = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [arc, first - 40n * arc, ...others].join(".");
}
