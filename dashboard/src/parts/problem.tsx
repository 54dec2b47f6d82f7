/** What went wrong, said at once by a screen reader. */
import type { JSX } from "preact";

/** Nothing is shown without a text. */
export function Problem({ text }: { readonly text: string | undefined }): JSX.Element | null {
  if (text === undefined) return null;
  return (
    <p role="alert" class="problem">
      {text}
    </p>
  );
}
