/** One session: whose it is, what it holds, and what it watches. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import {
  codeOf,
  type EphemeralsPage,
  messageOf,
  read,
  type SessionAnswer,
  type SessionRow,
  type Watched,
} from "../api.ts";
import { counted, duration, grouped } from "../format/numbers.ts";
import { watchedInWords } from "../format/sessions.ts";
import { visible } from "../format/values.ts";
import { type Fact, Facts } from "../parts/facts.tsx";
import { Gaps } from "../parts/gaps.tsx";
import { PathLink } from "../parts/path-link.tsx";
import { Problem } from "../parts/problem.tsx";
import { usePolled } from "../polled.ts";
import { hrefOf } from "../router.ts";
import { clientInWords } from "./sessions.tsx";

export function SessionView({ id }: { readonly id: string }): JSX.Element {
  const query = new URLSearchParams({ id }).toString();
  const { answer, problem } = usePolled<SessionAnswer>(`session?${query}`);
  const row = answer?.session ?? undefined;
  return (
    <main tabIndex={0}>
      <nav class="lineage" aria-label="Above this session">
        <a href={hrefOf({ page: "sessions" })}>All sessions</a>
      </nav>
      <h1>Session {visible(id)}</h1>
      <Problem text={problem} />
      {answer === undefined && problem === undefined && <p>Asking the nodes …</p>}
      {answer !== undefined && (
        <>
          {row !== undefined && (
            <div class="narrow">
              <Facts facts={factsOf(row)} />
            </div>
          )}
          <Ephemerals id={id} count={row?.ephemerals ?? null} />
          <WatchedList watches={answer.watches} />
          <Gaps nodes={answer.nodes} noun="watch" plural="watches" />
        </>
      )}
    </main>
  );
}

function factsOf(row: SessionRow): readonly Fact[] {
  const { node, identities, timeoutMs, endsInMs, lastZxid, lastOperation } = row;
  return [
    ["Client", clientInWords(row)],
    ["Connected to", node === null ? "no node" : `node ${node}`],
    ["Has proved to be", identities.length === 0 ? "nobody" : visible(identities.join(", "))],
    ["Timeout", duration(timeoutMs)],
    ["Ends in, if nothing comes", endsInMs === null ? "–" : duration(Math.max(endsInMs, 0))],
    ["Ephemerals", grouped(row.ephemerals)],
    ["Watches", grouped(row.watches)],
    ["Requests under way", grouped(row.outstanding)],
    ["From it so far", grouped(row.received)],
    ["From it, a second", grouped(row.perSecond)],
    ["Last operation", visible(lastOperation ?? "–")],
    ["Last zxid", lastZxid ?? "–"],
  ];
}

type EphemeralsProps = {
  readonly id: string;
  /** How many there are by now: the list is read again when that is another number. Null: it is not known. */
  readonly count: number | null;
};

function Ephemerals({ id, count }: EphemeralsProps): JSX.Element {
  const [pages, setPages] = useState<readonly EphemeralsPage[]>([]);
  const [problem, setProblem] = useState<string>();
  const readAfter = async (before: readonly EphemeralsPage[]): Promise<void> => {
    const after = before.at(-1)?.next ?? undefined;
    try {
      const page = await read<EphemeralsPage>("session-ephemerals", { id, after });
      setPages([...before, page]);
      setProblem(undefined);
    } catch (error) {
      // What the next page begins after is gone: all is read from the first.
      if (codeOf(error) === "ZOOID_PAGE_LOST" && before.length > 0) await readAfter([]);
      else setProblem(messageOf(error));
    }
  };
  useEffect(() => void readAfter([]), [id, count]);
  const paths = pages.flatMap((page) => page.paths);
  const left = pages.at(-1)?.left ?? 0;
  return (
    <>
      <h2>Its ephemerals</h2>
      <Problem text={problem} />
      {paths.length === 0 && problem === undefined && <p class="quiet">None.</p>}
      <ul class="paths">
        {paths.map((path) => (
          <li key={path}>
            <PathLink path={path} />
          </li>
        ))}
      </ul>
      {left > 0 && (
        <button type="button" onClick={() => void readAfter(pages)}>
          Further ones: {grouped(left)}
        </button>
      )}
    </>
  );
}

/** Rows that the browser draws at once. */
const SHOWN = 200;

function WatchedList({ watches }: { readonly watches: readonly Watched[] }): JSX.Element {
  const [shown, setShown] = useState(SHOWN);
  const left = watches.length - shown;
  return (
    <>
      <h2>What it watches</h2>
      {watches.length === 0 && <p class="quiet">Nothing.</p>}
      <ul class="paths">
        {watches.slice(0, shown).map(({ path, watches: watched }) => (
          <li key={`${watched} ${path}`}>
            <PathLink path={path} /> <span class="quiet">{watchedInWords(watched)}</span>
          </li>
        ))}
      </ul>
      {left > 0 && (
        <button type="button" onClick={() => setShown(shown + SHOWN)}>
          {counted(left, "further one")}
        </button>
      )}
    </>
  );
}
