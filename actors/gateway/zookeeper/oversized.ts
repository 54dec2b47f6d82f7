/**
 * A request that is longer than is taken. It is answered, so that its client learns which request it was and does not send it again on every
 * connection. Clients match answers with requests that they have sent whole, so the rest of it is received first, and thrown away.
 */
import { Code } from "../../../protocol/codes.ts";
import { OVERSIZED_BYTES_MAX } from "../../../protocol/limits.ts";
import type { FrameFault } from "../../../protocol/zookeeper/frames.ts";
import type { Connection, Entry } from "./state.ts";

/** What is known of it: its number, and how many of its bytes are still to come. */
export type Oversized = { readonly xid: number; readonly length: number; left: number };

/** Returns what there is to know of it, as far as it has come; undefined if it is not received to its end, and not answered. */
export function oversizedOf(
  { length }: FrameFault,
  { frames, wideXids }: Pick<Connection, "frames" | "wideXids">,
): Oversized | "incomplete" | undefined {
  if (length < 0 || length > OVERSIZED_BYTES_MAX) return undefined;
  const header = frames.peekInt64(4);
  if (header === undefined) return "incomplete";
  const xid = Number(wideXids ? header : BigInt.asIntN(32, header >> 32n));
  return { xid, length, left: 4 + length };
}

/** Throws away what has come of it. True: that was all. */
export function skipOversized(oversized: Oversized, { frames }: Connection): boolean {
  oversized.left -= frames.skip(oversized.left);
  return oversized.left === 0;
}

/** The answer, behind which the connection is closed. */
export function oversizedAnswer(
  { xid, length }: Oversized,
  bytesMax: number,
): Extract<Entry["request"], { readonly kind: "refused" }> {
  const reason = tooLong(length, bytesMax);
  return { kind: "refused", xid, code: Code.badArguments, ends: true, reason };
}

export function tooLong(length: number, bytesMax: number): string {
  return `a frame of ${length} bytes; at most ${bytesMax} are taken`;
}
