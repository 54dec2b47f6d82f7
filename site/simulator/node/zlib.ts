/** The checksum of `node:zlib`, for browsers. */
const encoder = new TextEncoder();

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let entry = byte;
  for (let bit = 0; bit < 8; bit += 1)
    entry = entry & 1 ? (entry >>> 1) ^ 0xedb8_8320 : entry >>> 1;
  return entry;
});

/** `value`: the checksum of what came before. */
export function crc32(data: string | Uint8Array, value = 0): number {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  let checksum = ~value;
  for (let at = 0; at < bytes.length; at += 1) {
    checksum = (checksum >>> 8) ^ (TABLE[(checksum ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~checksum >>> 0;
}
