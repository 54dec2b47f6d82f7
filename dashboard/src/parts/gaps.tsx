/** What is not shown, since nodes have not answered, or have answered as much as they may. */
import type { JSX } from "preact";
import type { Answered } from "../api.ts";
import { gapsOf } from "../format/sessions.ts";

type Props = { readonly nodes: Answered; readonly noun: string; readonly plural?: string };

export function Gaps({ nodes, noun, plural }: Props): JSX.Element {
  return (
    <>
      {gapsOf(nodes, noun, plural).map((text) => (
        <p key={text} class="problem">
          {text}
        </p>
      ))}
    </>
  );
}
