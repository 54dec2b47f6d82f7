/** Who holds what others wait for, and who waits: locks, elections, read/write locks, semaphores and queues, by the names of their znodes. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { codeOf, messageOf } from "../api.ts";
import { counted, duration, grouped } from "../format/numbers.ts";
import { parentOf } from "../format/paths.ts";
import { type Kind, waitingAt } from "../format/queues.ts";
import { visible } from "../format/values.ts";
import { onChanges } from "../live.ts";
import {
  beginSearch,
  type Finding,
  type Line,
  lookFurther,
  LOOKED_AT_MAX,
  type Place,
  readLine,
  type Search,
  type Values,
} from "../locks-model.ts";
import { GoTo } from "../parts/go-to.tsx";
import { LiveBar } from "../parts/live-bar.tsx";
import { PathLink } from "../parts/path-link.tsx";
import { Problem } from "../parts/problem.tsx";
import { SessionLink } from "../parts/session-link.tsx";
import { go, hrefOf } from "../router.ts";
import { clientInWords } from "./sessions.tsx";

const KINDS: Readonly<Record<Kind, string>> = {
  lock: "lock",
  election: "election",
  readWriteLock: "read/write lock",
  semaphore: "semaphore",
  queue: "queue",
};

export function LocksPage({ path }: { readonly path: string }): JSX.Element {
  return (
    <main tabIndex={0}>
      <h1>Locks</h1>
      <div class="bar">
        <GoTo path={path} onGo={(wanted) => go({ page: "locks", path: wanted })} />
        <LiveBar />
      </div>
      <LineView key={`line ${path}`} path={path} />
      <Finder key={`find ${path}`} top={path} />
    </main>
  );
}

type Loaded = {
  readonly line?: Line | undefined;
  readonly isRead: boolean;
  readonly problem?: string;
};

function LineView({ path }: { readonly path: string }): JSX.Element {
  const [{ line, isRead, problem }, setLoaded] = useState<Loaded>({ isRead: false });
  const values = useRef<Values>(new Map());
  useEffect(() => {
    let isOver = false;
    let isReading = false;
    let isStale = false;
    const load = async (): Promise<void> => {
      isStale = isReading;
      if (isReading) return;
      isReading = true;
      try {
        const loaded = await readLine(path, values.current);
        if (!isOver) setLoaded({ line: loaded, isRead: true });
      } catch (error) {
        const isGone = codeOf(error) === "ZOOID_NO_NODE";
        const text = isGone ? "There is no such znode." : messageOf(error);
        if (!isOver) setLoaded((before) => ({ ...before, problem: text }));
      } finally {
        isReading = false;
      }
      // What has changed while it was read.
      if (isStale && !isOver) await load();
    };
    void load();
    const end = onChanges(({ paths, unlisted }) => {
      const above = [path, waitingAt(path)];
      const isOf = paths.some((each) => each === path || above.includes(parentOf(each)));
      if (unlisted > 0 || isOf) void load();
    });
    return () => {
      isOver = true;
      end();
    };
  }, [path]);
  return (
    <>
      <Problem text={problem} />
      {line === undefined && isRead && problem === undefined && (
        <p>
          Nobody stands in line at <PathLink path={path} />: no child has the name of one who would.
        </p>
      )}
      {line !== undefined && <LineCard {...{ path, line }} />}
    </>
  );
}

function LineCard({ path, line }: { readonly path: string; readonly line: Line }): JSX.Element {
  const { kind, layout, places, further, waiting, unread, others, leases } = line;
  const holding = places.length + further - waiting;
  return (
    <section class="card" aria-labelledby="line-path">
      <h2 id="line-path">
        <PathLink path={path} /> <span class="role">{KINDS[kind]}</span>
      </h2>
      <p class="quiet">
        In the layout of {layout}.
        {leases !== undefined && ` ${grouped(holding)} of ${counted(leases, "lease")} held.`}{" "}
        {counted(waiting, "waits", "wait")}.
        {others > 0 && ` ${counted(others, "other child is", "other children are")} none of them.`}
      </p>
      {unread > 0 && (
        <p class="problem">
          {counted(unread, "child was", "children were")} not read: some of them may stand before
          these.
        </p>
      )}
      <div class="scroll" tabIndex={0} role="group" aria-label="The line">
        <table>
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">State</th>
              <th scope="col">Znode</th>
              <th scope="col">Session</th>
              <th scope="col">Client</th>
              <th scope="col">There since</th>
              <th scope="col">Says of itself</th>
            </tr>
          </thead>
          <tbody>
            {places.map((place, index) => (
              <PlaceRow key={place.name} {...{ kind, place, index }} />
            ))}
          </tbody>
        </table>
      </div>
      {further > 0 && <p class="quiet">{grouped(further)} more behind them.</p>}
    </section>
  );
}

type RowProps = { readonly kind: Kind; readonly place: Place; readonly index: number };

function PlaceRow({ kind, place, index }: RowProps): JSX.Element {
  const { path, name, stat, state, value, row } = place;
  const { ephemeralOwner, ctime } = stat;
  return (
    <tr class={state === "has" ? "holder" : ""}>
      <td>{index + 1}</td>
      <td>{stateInWords(kind, place)}</td>
      <td>
        <PathLink path={path} text={name} />
      </td>
      <td>{ephemeralOwner === null ? "none: it stays" : <SessionLink id={ephemeralOwner} />}</td>
      <td>{row === undefined ? "–" : clientInWords(row)}</td>
      <td>
        {new Date(ctime).toLocaleString("sv")}, for {duration(Math.max(Date.now() - ctime, 0))}
      </td>
      <td class="value">{value === null ? "–" : visible(value.slice(0, VALUE_MAX))}</td>
    </tr>
  );
}

/** Characters of a value that is a name. */
const VALUE_MAX = 200;

function stateInWords(kind: Kind, { state, role }: Place): string {
  if (state === "waits") return role === "reader" ? "waits to read" : "waits";
  if (state === "may") return "holds it, or waits";
  if (kind === "election") return "leads";
  if (kind === "queue") return "is worked on";
  if (kind === "readWriteLock") return role === "reader" ? "reads" : "writes";
  return "holds it";
}

function Finder({ top }: { readonly top: string }): JSX.Element {
  const [search, setSearch] = useState<Search>();
  const [isLooking, setIsLooking] = useState(false);
  const isOver = useRef(false);
  useEffect(
    () => () => {
      isOver.current = true;
    },
    [],
  );
  const look = async (from: Search): Promise<void> => {
    setIsLooking(true);
    const until = from.looked + LOOKED_AT_MAX;
    let now = from;
    while (!isOver.current && now.waiting.length > 0 && now.looked < until) {
      now = await lookFurther(now);
      setSearch(now);
    }
    setIsLooking(false);
  };
  return (
    <section aria-labelledby="found">
      <h2 id="found">Below {visible(top)}</h2>
      <div class="actions">
        <button type="button" disabled={isLooking} onClick={() => void look(beginSearch(top))}>
          Find below
        </button>
        {search !== undefined && !isLooking && search.waiting.length > 0 && (
          <button type="button" onClick={() => void look(search)}>
            Look further
          </button>
        )}
      </div>
      {search !== undefined && <Found {...{ search, isLooking }} />}
    </section>
  );
}

type FoundProps = { readonly search: Search; readonly isLooking: boolean };

function Found({ search, isLooking }: FoundProps): JSX.Element {
  const { findings, looked, waiting, partly, problems } = search;
  return (
    <>
      <p role="status">
        {findings.length === 0 ? "Nothing" : grouped(findings.length)} found.{" "}
        {counted(looked, "znode")} looked at
        {isLooking && ", looking …"}
        {!isLooking && waiting.length > 0 && `, at least ${grouped(waiting.length)} not`}.
      </p>
      {partly.length > 0 && (
        <p class="problem">
          Only some of the children were looked at of {visible(partly.slice(0, 5).join(", "))}
          {partly.length > 5 && ` and ${grouped(partly.length - 5)} more`}.
        </p>
      )}
      {problems.slice(0, 5).map((text) => (
        <p key={text} class="problem">
          {visible(text)}
        </p>
      ))}
      {findings.length > 0 && <FindingsTable findings={findings} />}
    </>
  );
}

function FindingsTable({ findings }: { readonly findings: readonly Finding[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Found">
      <table>
        <thead>
          <tr>
            <th scope="col">Path</th>
            <th scope="col">Kind</th>
            <th scope="col">Layout</th>
            <th scope="col">In line</th>
          </tr>
        </thead>
        <tbody>
          {findings.map(({ path, kind, layout, members }) => (
            <tr key={path}>
              <td>
                <a class="mono" href={hrefOf({ page: "locks", path })}>
                  {visible(path)}
                </a>
              </td>
              <td>{KINDS[kind]}</td>
              <td>{layout}</td>
              <td>{grouped(members)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
