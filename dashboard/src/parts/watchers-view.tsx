/** Who is told when a znode changes, whichever node he is connected to. */
import type { JSX } from "preact";
import type { Watchers } from "../api.ts";
import { counted } from "../format/numbers.ts";
import { watchedInWords } from "../format/sessions.ts";
import { visible } from "../format/values.ts";
import { isPaused } from "../live.ts";
import { usePolled } from "../polled.ts";
import { Gaps } from "./gaps.tsx";
import { Problem } from "./problem.tsx";
import { SessionLink } from "./session-link.tsx";

/** Rows that a person still reads. */
const SHOWN_MAX = 100;

export function WatchersView({ path }: { readonly path: string }): JSX.Element {
  const query = new URLSearchParams({ path }).toString();
  const { answer, problem } = usePolled<Watchers>(`znode-watchers?${query}`, isPaused.value);
  return (
    <>
      <h2>Who watches it</h2>
      <Problem text={problem} />
      {answer === undefined && problem === undefined && <p>Asking the nodes …</p>}
      {answer !== undefined && <Table watchers={answer} path={path} />}
    </>
  );
}

type Props = { readonly watchers: Watchers; readonly path: string };

function Table({ watchers: { nodes, watches }, path }: Props): JSX.Element {
  const shown = watches.slice(0, SHOWN_MAX);
  return (
    <>
      {watches.length === 0 && <p class="quiet">Nobody.</p>}
      {watches.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label="Watches">
          <table>
            <thead>
              <tr>
                <th scope="col">Session</th>
                <th scope="col">Client</th>
                <th scope="col">Node</th>
                <th scope="col">Watches</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((watch) => (
                <tr key={`${watch.session} ${watch.path} ${watch.watches}`}>
                  <td>
                    <SessionLink id={watch.session} />
                  </td>
                  <td>{visible(watch.address ?? "over NATS")}</td>
                  <td>{watch.node}</td>
                  <td>
                    {watchedInWords(watch.watches)}
                    {watch.path !== path && `, set at ${visible(watch.path)}`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {watches.length > SHOWN_MAX && (
        <p class="quiet">{counted(watches.length - SHOWN_MAX, "more", "more")}.</p>
      )}
      <Gaps nodes={nodes} noun="watch" plural="watches" />
    </>
  );
}
