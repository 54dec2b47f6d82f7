/** Many messages as one piece of NATS' protocol: `PUB <subject> <bytes>`, and the payload. */
import type { Offered } from "../transport.ts";

export type EncodedOffers = {
  readonly bytes: Uint8Array;
  readonly payloadBytes: number;
  readonly dropped: number;
};

/** Messages of more than `eachMax` bytes are left out, and those that all together would have more than `allMax`. */
export function encodeOffered(
  messages: readonly Offered[],
  { eachMax, allMax }: { readonly eachMax: number; readonly allMax: number },
): EncodedOffers {
  // Nearly all messages are ASCII. It costs less to assume it, and to see at the end that it was so, than to measure each of them.
  const assumed = framesOf(messages, { eachMax, allMax, bytesOf: ({ length }) => length });
  const bytes = Buffer.from(assumed.frames);
  const { payloadBytes, dropped } = assumed;
  if (bytes.length === assumed.frames.length) return { bytes, payloadBytes, dropped };
  const { frames, ...rest } = framesOf(messages, {
    eachMax,
    allMax,
    bytesOf: (text) => Buffer.byteLength(text),
  });
  return { bytes: Buffer.from(frames), ...rest };
}

function framesOf(
  messages: readonly Offered[],
  limits: {
    readonly eachMax: number;
    readonly allMax: number;
    readonly bytesOf: (text: string) => number;
  },
): { readonly frames: string; readonly payloadBytes: number; readonly dropped: number } {
  const { eachMax, allMax, bytesOf } = limits;
  let frames = "";
  let payloadBytes = 0;
  let dropped = 0;
  for (const { subject, text } of messages) {
    const bytes = bytesOf(text);
    if (bytes > eachMax || payloadBytes + bytes > allMax) dropped += 1;
    else {
      frames += `PUB ${subject} ${bytes}\r\n${text}\r\n`;
      payloadBytes += bytes;
    }
  }
  return { frames, payloadBytes, dropped };
}
