/** What is above a znode, as links. */
import type { JSX } from "preact";
import { lineageOf, nameOf } from "../format/paths.ts";
import { visible } from "../format/values.ts";

type Props = { readonly path: string; readonly hrefOf: (path: string) => string };

export function Lineage({ path, hrefOf }: Props): JSX.Element {
  const above = lineageOf(path).slice(0, -1);
  return (
    <nav class="lineage" aria-label="Above this znode">
      {above.map((each) => (
        <a key={each} href={hrefOf(each)}>
          {each === "/" ? "/" : `${visible(nameOf(each))}/`}
        </a>
      ))}
    </nav>
  );
}
