/** Frames that are no request. */
import type { Random } from "../../sim/random.ts";
import { JuteWriter } from "../../support/jute.ts";
import type { Bytes } from "./program.ts";

const FRAMES: readonly ((random: Random) => Buffer)[] = [
  // A length that is negative, or beyond what is taken.
  () => new JuteWriter().int(-1).bytes(),
  () => new JuteWriter().int(-2_147_483_648).bytes(),
  () => new JuteWriter().int(1_048_576).bytes(),
  () => new JuteWriter().int(2_147_483_647).bytes(),
  // No bytes, or less than a header's.
  () => framed(Buffer.alloc(0)),
  (random) => framed(Buffer.alloc(1 + random.below(7), 1)),
  // Op codes that there are not, or that only servers send.
  (random) => framed(header(7, random.pick(NO_OPERATIONS))),
  // A header and any bytes.
  (random) =>
    framed(
      Buffer.concat([
        header(9, random.pick([1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 14, 15, 17, 18, 101, 105, 106])),
        Buffer.from(random.randomBytes(random.below(40))),
      ]),
    ),
  // A path that is longer than the frame, and one of a negative length.
  (random) =>
    framed(
      new JuteWriter()
        .raw(header(9, drawCode(random)))
        .int(10_000)
        .bytes(),
    ),
  (random) =>
    framed(
      new JuteWriter()
        .raw(header(9, drawCode(random)))
        .int(-2)
        .bytes(),
    ),
];

const NO_OPERATIONS: readonly number[] = [
  ...[0, 10, 20, 23, 77, 99, 999, -1, -10, -100, 2 ** 31 - 1],
  ...[500, 501, 502, 503, 504, 505, 506, 507],
];

function drawCode(random: Random): number {
  return random.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 17, 18, 106]);
}

function header(xid: number, code: number): Buffer {
  return new JuteWriter().int(xid).int(code).bytes();
}

function framed(payload: Buffer): Buffer {
  return new JuteWriter().buffer(payload).bytes();
}

export function drawFrame(random: Random): Bytes {
  return random.pick(FRAMES)(random).toString("latin1");
}
