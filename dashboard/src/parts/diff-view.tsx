/** The lines that differ, with a sign before each, so that no colour is needed to read it. */
import type { JSX } from "preact";
import { around, linesOf } from "../format/diff.ts";
import { counted } from "../format/numbers.ts";
import { visible } from "../format/values.ts";

const SIGNS = { same: " ", added: "+", removed: "−" } as const;

type Props = { readonly before: string; readonly after: string; readonly label: string };

export function DiffView({ before, after, label }: Props): JSX.Element {
  const { lines, unshown } = around(linesOf(before, after));
  if (!lines.some((line) => line !== null && line.kind !== "same")) {
    return <p class="quiet">No line differs.</p>;
  }
  return (
    <>
      <pre class="diff" aria-label={label} role="group" tabIndex={0}>
        {lines.map((line, index) => (
          <div key={index} class={line?.kind ?? "skipped"}>
            {line === null ? "⋯" : `${SIGNS[line.kind]} ${visible(line.text)}`}
          </div>
        ))}
      </pre>
      {unshown > 0 && (
        <p class="problem">Not shown: {counted(unshown, "further line")} with a difference.</p>
      )}
    </>
  );
}
