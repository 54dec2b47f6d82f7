/** Numbers in words that people read. */

const DASH = "–";

export function grouped(value: number | null | undefined): string {
  return value === null || value === undefined ? DASH : value.toLocaleString("en");
}

export function counted(value: number, noun: string, plural: string = `${noun}s`): string {
  return `${grouped(value)} ${value === 1 ? noun : plural}`;
}

const UNITS = ["KiB", "MiB", "GiB", "TiB"] as const;

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  if (value < 1024) return `${value} B`;
  let size = value / 1024;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size.toFixed(size < 10 ? 1 : 0)} ${UNITS[unit]}`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  return value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value).toLocaleString("en")} ms`;
}

/** The two largest units, as `2 d 3 h`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return DASH;
  const seconds = Math.floor(ms / 1000);
  const units: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  const some = units.slice(first, first + 2).filter(([count]) => count > 0);
  return some.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** How far one zxid is behind another of the same epoch. Undefined: they are of different epochs, or one is not known. */
export function lagBehind(latest: string | null, zxid: string | null): number | undefined {
  if (latest === null || zxid === null) return undefined;
  const [last, own] = [BigInt(latest), BigInt(zxid)];
  if (last >> 32n !== own >> 32n) return undefined;
  return Number(last - own);
}

/** The later of two zxids, of which one may not be known. */
export function later(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return BigInt(one) >= BigInt(other) ? one : other;
}

/** `0x100000005` as `epoch 1, number 5`. */
export function zxidInWords(zxid: string): string {
  const value = BigInt(zxid);
  return `epoch ${value >> 32n}, number ${value & 0xffff_ffffn}`;
}
