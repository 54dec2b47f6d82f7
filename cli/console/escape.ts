/**
 * Makes text safe to show. Names and values are others' bytes: an escape sequence in one could rewrite the screen or the title of a
 * terminal, and a mark of direction could make a path read as another one.
 */

/** Control and format characters, separators of lines and halves of pairs; not the joiners, which letters and emoji need. */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** For one line. Escapes are those of JSON, so that JSON stays valid. */
export function escaped(text: string): string {
  return text.replace(UNSAFE, escapeOf);
}

/** For text of several lines. */
export function escapedText(text: string): string {
  return text.replace(UNSAFE, (found) =>
    found === "\n" || found === "\t" ? found : escapeOf(found),
  );
}

function escapeOf(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}
