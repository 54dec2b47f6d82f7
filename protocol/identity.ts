/** The ids that distinguish data folders, and ensembles, of the same name. */

/** The identity of a data folder: 16 random bytes in hexadecimal, drawn when the folder is made. */
export type Identity = string;
/** The id of an ensemble: 16 bytes in hexadecimal (`foundedBy` makes it). */
export type EnsembleId = string;

export const IDENTITY_BYTES = 16;

export function isIdentity(value: unknown): value is Identity {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

/** Returns the bytes in hexadecimal. */
export function hexOfBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
