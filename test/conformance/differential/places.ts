/** Where programs run. */

/** `lone`: one server of each. `ensemble`: three, of which one leads. */
export const PLACES = ["lone", "ensemble"] as const;
export type Place = (typeof PLACES)[number];

/** One of so many programs runs on ensembles, where it takes longer. */
const ENSEMBLE_EVERY = 4;

export function placeOf(seed: number, places: readonly Place[]): Place {
  const [only] = places;
  if (places.length === 1 && only !== undefined) return only;
  return seed % ENSEMBLE_EVERY === 0 ? "ensemble" : "lone";
}
