/** Places of zxids on a slider: those that there are, one beside the other. Between two epochs there are billions of numbers that none has. */

type EpochSpan = { readonly from: string; readonly to: string };

function lengthOf({ from, to }: EpochSpan): number {
  return Number(BigInt(to) - BigInt(from)) + 1;
}

export function hexOf(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}

/** The place of the last zxid. The first one has 0. */
export function lastPlace(epochs: readonly EpochSpan[]): number {
  return Math.max(0, epochs.reduce((sum, each) => sum + lengthOf(each), 0) - 1);
}

/** Undefined: there is none. */
export function zxidAtPlace(epochs: readonly EpochSpan[], place: number): string | undefined {
  let left = place;
  for (const epoch of epochs) {
    const length = lengthOf(epoch);
    if (left < length) return hexOf(BigInt(epoch.from) + BigInt(left));
    left -= length;
  }
  return epochs.at(-1)?.to;
}

/** The place of the zxid, or of the last one before it that there is; 0 where there is none. */
export function placeOf(epochs: readonly EpochSpan[], zxid: string): number {
  const sought = BigInt(zxid);
  let place = 0;
  for (const { from, to } of epochs) {
    if (sought < BigInt(from)) break;
    const last = sought < BigInt(to) ? sought : BigInt(to);
    const before = place;
    place += Number(last - BigInt(from)) + 1;
    if (sought <= BigInt(to)) return before + Number(last - BigInt(from));
  }
  return Math.max(0, place - 1);
}

/** As a person may write it: `0x10a`, `266`. Undefined: it is no zxid. */
export function zxidOf(text: string): string | undefined {
  const given = text.trim().toLowerCase();
  return /^(?:0x[0-9a-f]{1,14}|\d{1,16})$/.test(given) ? hexOf(BigInt(given)) : undefined;
}

/** The tree at it is the one before the transaction with this zxid. */
export function zxidBefore(zxid: string): string {
  const value = BigInt(zxid);
  return hexOf(value > 0n ? value - 1n : value);
}

/** What somebody wrote that is no zxid, or undefined. */
export function zxidProblem(text: string): string | undefined {
  if (zxidOf(text) !== undefined) return undefined;
  return `${JSON.stringify(text)} is no zxid: write it as 0x100000001, or as a decimal number.`;
}
