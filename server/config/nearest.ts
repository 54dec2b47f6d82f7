/** For "did you mean": the candidate that fewest typing mistakes turn the word into. */
// Levenshtein's distance in a few machine words per character: a file may have thousands of wrong keys, and each is held against all there are.
import { distance } from "fastest-levenshtein";

/** No setting's name is nearly as long: such a word is no mistyped one. */
const WORD_CHARACTERS_MAX = 64;

/** Undefined when none is near: a suggestion that misleads is worse than none. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > WORD_CHARACTERS_MAX) return undefined;
  const farthest = Math.max(1, Math.floor(word.length / 3));
  const lower = word.toLowerCase();
  let best: { readonly candidate: string; readonly mistakes: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > farthest) continue;
    const mistakes = distance(lower, candidate.toLowerCase());
    if (mistakes <= farthest && (best === undefined || mistakes < best.mistakes)) {
      best = { candidate, mistakes };
    }
  }
  return best?.candidate;
}
