/** What tells one data folder, and one ensemble, from another of the same name. */

/** 16 random bytes in hexadecimal: of a data folder, made with it. */
export type Identity = string;
/** 16 bytes in hexadecimal. */
export type EnsembleId = string;

export const IDENTITY_BYTES = 16;

export function isIdentity(value: unknown): value is Identity {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

/** In hexadecimal. */
export function hexOfBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
