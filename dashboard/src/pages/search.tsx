/** Search by the pattern of a path and by value, with what was looked at so far. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { messageOf } from "../api.ts";
import { bytes, counted, grouped } from "../format/numbers.ts";
import { visible } from "../format/values.ts";
import { type FindPage, readPast } from "../past.ts";
import { Problem } from "../parts/problem.tsx";
import { go, hrefOf, type Sought } from "../router.ts";

const PAGE = 100;

type Props = Sought & { readonly path: string };

export function SearchPage({ path, pattern, value, hex }: Props): JSX.Element {
  const [times, setTimes] = useState(0);
  const isAsked = [pattern, value, hex].some((each) => each !== undefined && each !== "");
  const search = (to: Props): void => {
    const wanted = { page: "search", ...to } as const;
    // The same search is begun again, in the tree of today.
    if (hrefOf(wanted) === hrefOf({ page: "search", path, pattern, value, hex }))
      setTimes(times + 1);
    else go(wanted);
  };
  return (
    <main>
      <h1>Search</h1>
      <SearchForm {...{ path, pattern, value, hex }} onSearch={search} />
      {isAsked && <Results key={times} {...{ path, pattern, value, hex }} />}
    </main>
  );
}

type FormProps = Props & { readonly onSearch: (sought: Props) => void };

function SearchForm(props: FormProps): JSX.Element {
  const { path: pathGiven, pattern: patternGiven = "", value, hex, onSearch } = props;
  const [path, setPath] = useState(pathGiven);
  const [pattern, setPattern] = useState(patternGiven);
  const [sought, setSought] = useState(hex ?? value ?? "");
  const [isHex, setIsHex] = useState(hex !== undefined);
  const search = (): void => {
    const digits = sought.replaceAll(/\s+/g, "");
    const values = isHex ? { hex: digits } : { value: sought };
    onSearch({ path: path.startsWith("/") ? path : `/${path}`, pattern, ...values });
  };
  return (
    <form
      class="card search"
      onSubmit={(event) => {
        event.preventDefault();
        search();
      }}
    >
      <label>
        Below
        <input
          value={path}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setPath(event.currentTarget.value)}
        />
      </label>
      <label>
        Whole path is like
        <input
          value={pattern}
          placeholder="/shop/**/limits"
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setPattern(event.currentTarget.value)}
        />
      </label>
      <label>
        Value has
        <input
          value={sought}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setSought(event.currentTarget.value)}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={isHex}
          onChange={(event) => setIsHex(event.currentTarget.checked)}
        />
        These are bytes, as hexadecimal digits
      </label>
      <p class="quiet">
        <code>*</code> is for any characters of a name, <code>?</code> for one, <code>**</code> for
        any names. Large and small letters differ.
      </p>
      <button type="submit" class="primary" disabled={pattern === "" && sought === ""}>
        Search
      </button>
    </form>
  );
}

type Found = FindPage["found"][number];
type State = {
  readonly found: readonly Found[];
  readonly looked: number;
  readonly zxid: string | undefined;
  /** Null: that was all. */
  readonly next: string | null;
  readonly isLooking: boolean;
  readonly problem: string | undefined;
};

const BEGIN: State = {
  ...{ found: [], looked: 0, zxid: undefined, next: "" },
  ...{ isLooking: true, problem: undefined },
};

function Results(props: Props): JSX.Element {
  const { state, goOn, stop } = useSearch(props);
  const { found, looked, zxid, next, isLooking, problem } = state;
  const isOver = next === null;
  return (
    <>
      <p role="status">
        {isLooking ? "Looking … " : ""}
        {counted(found.length, "znode")} found, {grouped(looked)} looked at
        {zxid !== undefined && ` in the tree at zxid ${zxid}`}
        {isOver ? ": that was all." : "."}
      </p>
      <Problem text={problem} />
      <ul class="differences">
        {found.map(({ path, stat, excerpt }) => (
          <li key={path}>
            <div class="difference">
              <a class="path" href={hrefOf({ page: "tree", path })}>
                {visible(path)}
              </a>
              {stat.ephemeralOwner !== null && <span class="badge">ephemeral</span>}
              <span class="quiet">
                version {grouped(stat.version)}, {bytes(stat.dataLength)}
              </span>
            </div>
            {excerpt !== undefined && <code class="excerpt">{visible(excerpt)}</code>}
          </li>
        ))}
      </ul>
      {isLooking && (
        <button type="button" onClick={stop}>
          Stop
        </button>
      )}
      {!isLooking && !isOver && (
        <button type="button" onClick={goOn}>
          Go on
        </button>
      )}
    </>
  );
}

/** Looks until a further page of results is full, or all was looked at. */
function useSearch(asked: Props): {
  readonly state: State;
  readonly goOn: () => void;
  readonly stop: () => void;
} {
  const [state, setState] = useState(BEGIN);
  const isStopped = useRef(false);
  const look = async (begin: State): Promise<void> => {
    isStopped.current = false;
    let now: State = { ...begin, isLooking: true, problem: undefined };
    setState(now);
    const wanted = now.found.length + PAGE;
    while (now.next !== null && now.found.length < wanted && !isStopped.current) {
      try {
        const page = await readPast<FindPage>(
          "find",
          queryOf(asked, now.next, wanted - now.found.length),
        );
        const found = [...now.found, ...page.found];
        now = { ...now, found, looked: page.looked, zxid: page.zxid, next: page.next };
      } catch (error) {
        now = { ...now, problem: messageOf(error), isLooking: false };
        break;
      }
      setState(now);
    }
    setState({ ...now, isLooking: false });
  };
  const stop = (): void => {
    isStopped.current = true;
  };
  useEffect(() => {
    void look(BEGIN);
    return stop;
  }, []);
  return { state, goOn: () => void look(state), stop };
}

function queryOf(
  { path, pattern, value, hex }: Props,
  after: string,
  limit: number,
): Readonly<Record<string, string | number | undefined>> {
  const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text);
  return {
    ...{ path, pattern: given(pattern), value: given(value), hex: given(hex) },
    ...{ after, limit },
  };
}
