/** For "did you mean": the candidate that fewest typing mistakes turn the word into. */

/** No setting's name is nearly as long: such a word is no mistyped one. */
const WORD_CHARACTERS_MAX = 64;

/** Insertions, deletions and replacements between the two (Levenshtein's distance). */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 0; i < left.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < right.length; j += 1) {
      const replaced = (row[j] ?? 0) + (left[i] === right[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/** Undefined when none is near: a suggestion that misleads is worse than none. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > WORD_CHARACTERS_MAX) return undefined;
  const farthest = Math.max(1, Math.floor(word.length / 3));
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > farthest) continue;
    const found = distance(word.toLowerCase(), candidate.toLowerCase());
    if (found <= farthest && (best === undefined || found < best.distance)) {
      best = { candidate, distance: found };
    }
  }
  return best?.candidate;
}
