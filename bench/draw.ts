/** Numbers by chance. */

/** Gives numbers from 0 up to, not including, 1. */
export type Draw = () => number;

/** A whole number, both ends included. */
export function between(draw: Draw, min: number, max: number): number {
  return min + Math.floor(draw() * (max - min + 1));
}
