/** A copy of the text. One that is kept holds on to nothing else then: a path may be a piece of a whole message. */
export function ownedText(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
