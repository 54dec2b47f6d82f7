/** Orders by chance. A draw gives numbers from 0 up to, not including, 1. */

export type Draw = () => number;

/** Every order is as likely as any other. */
export function shuffled<Item>(items: readonly Item[], draw: Draw): Item[] {
  const all = [...items];
  for (let index = all.length - 1; index > 0; index -= 1) {
    const other = between(draw, 0, index);
    [all[index], all[other]] = [all[other] as Item, all[index] as Item];
  }
  return all;
}

/** A whole number, both ends included. */
export function between(draw: Draw, min: number, max: number): number {
  return min + Math.floor(draw() * (max - min + 1));
}
