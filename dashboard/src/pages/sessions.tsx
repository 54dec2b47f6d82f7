/** The sessions of the ensemble, by what they hold, watch and ask for. */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import type { SessionRow, SessionsPage as Page } from "../api.ts";
import { counted, duration, grouped } from "../format/numbers.ts";
import { gapsOf } from "../format/sessions.ts";
import { visible } from "../format/values.ts";
import { Problem } from "../parts/problem.tsx";
import { SessionLink } from "../parts/session-link.tsx";
import { usePolled } from "../polled.ts";

const PAGE = 100;
const WATCHES_DEFAULT = 1000;

type Sort = "session" | "ends" | "ephemerals" | "watches" | "rate";
type Column = readonly [name: string, sort: Sort | undefined];

const COLUMNS: readonly Column[] = [
  ["Session", "session"],
  ["Client", undefined],
  ["Node", undefined],
  ["Timeout", undefined],
  ["Ends in", "ends"],
  ["Ephemerals", "ephemerals"],
  ["Watches", "watches"],
  ["From it, a second", "rate"],
  ["Last operation", undefined],
];

export function SessionsPage(): JSX.Element {
  const [sort, setSort] = useState<Sort>("watches");
  const [filter, setFilter] = useState("");
  const [skip, setSkip] = useState(0);
  const [over, setOver] = useState(WATCHES_DEFAULT);
  const [isHeld, setIsHeld] = useState(false);
  const query = new URLSearchParams({ sort, filter, skip: `${skip}`, limit: `${PAGE}` });
  const { answer, problem } = usePolled<Page>(`sessions?${query.toString()}`, isHeld);
  return (
    <main tabIndex={0}>
      <h1>Sessions</h1>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span class="quiet">Find a number, address, identity or node</span>
          <input
            value={filter}
            maxLength={256}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => {
              setFilter(event.currentTarget.value);
              setSkip(0);
            }}
          />
        </label>
        <label>
          <span class="quiet">Mark those with more watches than</span>
          <input
            type="number"
            min={0}
            value={over}
            onInput={(event) => setOver(Number(event.currentTarget.value))}
          />
        </label>
        <button type="button" aria-pressed={isHeld} onClick={() => setIsHeld(!isHeld)}>
          Pause
        </button>
      </form>
      <Problem text={problem} />
      {answer === undefined && problem === undefined && <p>Asking the nodes …</p>}
      {answer !== undefined && (
        <>
          <Pager {...{ answer, skip }} onSkip={setSkip} />
          <Table {...{ rows: answer.sessions, sort, over }} onSort={setSort} />
        </>
      )}
    </main>
  );
}

type PagerProps = {
  readonly answer: Page;
  readonly skip: number;
  readonly onSkip: (skip: number) => void;
};

function Pager({ answer, skip, onSkip }: PagerProps): JSX.Element {
  const { matching, total, sessions } = answer;
  const of = matching === total ? "" : ` of ${grouped(total)}`;
  return (
    <p class="pager">
      <span role="status">
        {counted(matching, "session")}
        {of}
        {matching > sessions.length &&
          sessions.length > 0 &&
          `, ${grouped(skip + 1)} to ${grouped(skip + sessions.length)} of which are shown`}
      </span>
      {gapsOf(answer.nodes, "session").map((text) => (
        <span key={text} class="problem">
          {text}
        </span>
      ))}
      {skip > 0 && (
        <button type="button" onClick={() => onSkip(Math.max(skip - PAGE, 0))}>
          Back
        </button>
      )}
      {skip + sessions.length < matching && (
        <button type="button" onClick={() => onSkip(skip + PAGE)}>
          Further ones
        </button>
      )}
    </p>
  );
}

type TableProps = {
  readonly rows: readonly SessionRow[];
  readonly sort: Sort;
  /** With more watches a session stands out. */
  readonly over: number;
  readonly onSort: (sort: Sort) => void;
};

function Table({ rows, sort, over, onSort }: TableProps): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Table of sessions">
      <table>
        <thead>
          <tr>
            {COLUMNS.map(([name, by]) => (
              <Heading key={name} {...{ name, by }} isChosen={by === sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.session} {...{ row, over }} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type HeadingProps = {
  readonly name: string;
  readonly by: Sort | undefined;
  readonly isChosen: boolean;
  readonly onSort: (sort: Sort) => void;
};

/** What is asked for comes with the most first, or what is soonest. */
function Heading({ name, by, isChosen, onSort }: HeadingProps): JSX.Element {
  if (by === undefined) return <th scope="col">{name}</th>;
  const direction = by === "session" || by === "ends" ? "ascending" : "descending";
  return (
    <th scope="col" aria-sort={isChosen ? direction : "none"}>
      <button type="button" class="sort" onClick={() => onSort(by)}>
        {name}
        <span aria-hidden="true">{isChosen && (direction === "ascending" ? " ▲" : " ▼")}</span>
      </button>
    </th>
  );
}

function Row({ row, over }: { readonly row: SessionRow; readonly over: number }): JSX.Element {
  const { session, node, address, identities, timeoutMs, endsInMs, lastOperation } = row;
  const isOver = (row.watches ?? 0) > over;
  return (
    <tr class={isOver ? "over" : ""}>
      <td>
        <SessionLink id={session} />
      </td>
      <td>
        {clientInWords(row)}
        {identities.length > 0 && <span class="quiet"> {visible(identities.join(", "))}</span>}
      </td>
      <td>{node ?? "–"}</td>
      <td>{duration(timeoutMs)}</td>
      <td>{endsInMs === null ? "–" : duration(Math.max(endsInMs, 0))}</td>
      <td>{grouped(row.ephemerals)}</td>
      <td>
        {grouped(row.watches)} {isOver && <span class="badge">many</span>}
      </td>
      <td>{grouped(row.perSecond)}</td>
      <td>{visible(lastOperation ?? (address === null ? "–" : "none"))}</td>
    </tr>
  );
}

export function clientInWords({ node, address }: Pick<SessionRow, "node" | "address">): string {
  if (node === null) return "not connected";
  return address === null ? "over NATS" : visible(address);
}
