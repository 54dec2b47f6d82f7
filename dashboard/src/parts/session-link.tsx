/** The number of a session, which leads to what is known of it. */
import type { JSX } from "preact";
import { offers } from "../access.ts";
import { hrefOf } from "../router.ts";

export function SessionLink({ id }: { readonly id: string }): JSX.Element {
  if (!offers("session")) return <span class="mono session">{id}</span>;
  return (
    <a class="mono session" href={hrefOf({ page: "sessions", id })}>
      {id}
    </a>
  );
}
