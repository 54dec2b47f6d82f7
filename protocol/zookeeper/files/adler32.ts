/** The checksum of Apache ZooKeeper's files: Adler-32, of RFC 1950. */

const MODULUS = 65_521;
/** So many bytes can be added before a sum of safe 32-bit integers must be reduced (zlib's NMAX). */
const BYTES_AT_ONCE = 5552;

/** Continues a checksum, which begins with 1, over the bytes. */
export function adler32(bytes: Uint8Array, value = 1): number {
  let low = value & 0xffff;
  let high = value >>> 16;
  for (let from = 0; from < bytes.length; from += BYTES_AT_ONCE) {
    const end = Math.min(from + BYTES_AT_ONCE, bytes.length);
    for (let index = from; index < end; index += 1) {
      low += bytes[index] as number;
      high += low;
    }
    low %= MODULUS;
    high %= MODULUS;
  }
  return high * 65_536 + low;
}
