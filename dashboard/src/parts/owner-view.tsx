/** Whose an ephemeral is: the session that it ends with, and where its client is. */
import type { JSX } from "preact";
import type { SessionsPage } from "../api.ts";
import { visible } from "../format/values.ts";
import { isPaused } from "../live.ts";
import { usePolled } from "../polled.ts";
import { SessionLink } from "./session-link.tsx";

export function OwnerView({ id }: { readonly id: string }): JSX.Element {
  const { answer } = usePolled<SessionsPage>(`sessions?ids=${id}`, isPaused.value);
  const [row] = answer?.sessions ?? [];
  return (
    <>
      <h2>Whose it is</h2>
      <p>
        Session <SessionLink id={id} />
        {row !== undefined && row.node === null && ", whose client is connected to no node"}
        {row !== undefined && row.node !== null && (
          <>
            , client {visible(row.address ?? "over NATS")} at node {row.node}
            {row.identities.length > 0 && `, ${visible(row.identities.join(", "))}`}
          </>
        )}
      </p>
    </>
  );
}
