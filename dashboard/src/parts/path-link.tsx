/** The path of a znode, which leads to it in the tree. */
import type { JSX } from "preact";
import { visible } from "../format/values.ts";
import { hrefOf } from "../router.ts";

type Props = {
  readonly path: string;
  /** Default: the path. */
  readonly text?: string;
};

export function PathLink({ path, text = path }: Props): JSX.Element {
  return (
    <a class="mono" href={hrefOf({ page: "tree", path })}>
      {visible(text)}
    </a>
  );
}
