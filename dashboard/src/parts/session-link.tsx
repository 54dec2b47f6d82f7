/** The number of a session, which leads to what is known of it. */
import type { JSX } from "preact";
import { hrefOf } from "../router.ts";

export function SessionLink({ id }: { readonly id: string }): JSX.Element {
  return (
    <a class="mono session" href={hrefOf({ page: "sessions", id })}>
      {id}
    </a>
  );
}
