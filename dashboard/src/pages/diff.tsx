/** What has become of a subtree between two zxids. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { mayWrite } from "../access.ts";
import { messageOf } from "../api.ts";
import { differenceText, topsOf } from "../format/changes.ts";
import { bytes, counted, grouped } from "../format/numbers.ts";
import { visible } from "../format/values.ts";
import { zxidOf, zxidProblem } from "../format/zxids.ts";
import { type DiffPage as Page, type Difference, readPast, type Side, type Span } from "../past.ts";
import { BringBackForm } from "../parts/bring-back-form.tsx";
import { Compare } from "../parts/compare.tsx";
import { Problem } from "../parts/problem.tsx";
import { go, hrefOf } from "../router.ts";

const PAGE = 100;

type Props = {
  readonly path: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
};

/** Without zxids it is all that is kept. */
export function DiffPage({ path, from: givenFrom, to: givenTo }: Props): JSX.Element {
  const [span, setSpan] = useState<Span>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    void readPast<Span>("span").then(setSpan, (error) => setProblem(messageOf(error)));
  }, []);
  const [from, to] = [pointOf(givenFrom) ?? span?.from, pointOf(givenTo) ?? span?.to];
  const isAsked = givenFrom !== undefined || givenTo !== undefined;
  return (
    <main>
      <h1>What has changed between two points</h1>
      <Problem text={problem} />
      {from !== undefined && to !== undefined && (
        <>
          <PointsForm {...{ path, from, to }} />
          {isAsked && <Differences {...{ path, from, to }} />}
        </>
      )}
      {!isAsked && span !== undefined && (
        <p class="quiet">
          What is kept is from {span.from} to {span.to}. The history of a path has the zxids of its
          changes.
        </p>
      )}
    </main>
  );
}

/** What is no zxid stays as it is, and the node says so. */
function pointOf(given: string | undefined): string | undefined {
  return given === undefined ? undefined : (zxidOf(given) ?? given);
}

type Asked = { readonly path: string; readonly from: string; readonly to: string };

function PointsForm(asked: Asked): JSX.Element {
  const [path, setPath] = useState(asked.path);
  const [from, setFrom] = useState(asked.from);
  const [to, setTo] = useState(asked.to);
  const [problem, setProblem] = useState<string>();
  const compare = (): void => {
    const wrong = zxidProblem(from) ?? zxidProblem(to);
    setProblem(wrong);
    if (wrong !== undefined) return;
    const points = { from: zxidOf(from), to: zxidOf(to) };
    go({ page: "diff", path: path.startsWith("/") ? path : `/${path}`, ...points });
  };
  const fields = [
    ["Path, and all below it", path, setPath],
    ["From zxid", from, setFrom],
    ["To zxid", to, setTo],
  ] as const;
  return (
    <form
      class="go"
      onSubmit={(event) => {
        event.preventDefault();
        compare();
      }}
    >
      {fields.map(([label, value, set]) => (
        <label key={label}>
          <span class="quiet">{label}</span>
          <input
            value={value}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => set(event.currentTarget.value)}
          />
        </label>
      ))}
      <button type="submit">Compare</button>
      <Problem text={problem} />
    </form>
  );
}

type Listed = { readonly changes: readonly Difference[]; readonly next: string | null };

function Differences({ path, from, to }: Asked): JSX.Element {
  const [listed, setListed] = useState<Listed>();
  const [problem, setProblem] = useState<string>();
  const [isReading, setIsReading] = useState(false);
  const readMore = async (): Promise<void> => {
    setIsReading(true);
    try {
      const query = { path, from, to, limit: PAGE, after: listed?.next ?? "" };
      const page = await readPast<Page>("diff", query);
      setListed({ changes: [...(listed?.changes ?? []), ...page.changes], next: page.next });
      setProblem(undefined);
    } catch (error) {
      setProblem(messageOf(error));
    }
    setIsReading(false);
  };
  useEffect(() => void readMore(), []);
  if (listed === undefined) {
    return problem === undefined ? <p>Building both trees …</p> : <Problem text={problem} />;
  }
  const { changes, next } = listed;
  const deleted = changes.filter(({ kind }) => kind === "deleted");
  const tops = topsOf(deleted.map((each) => each.path));
  return (
    <>
      <p role="status">
        {next === null ? "" : "The first "}
        {counted(changes.length, "difference")}
        {next === null && changes.length === 0 ? ": nothing of it has changed." : ""}
      </p>
      <ul class="differences">
        {changes.map((each) => (
          <DifferenceItem
            key={each.path}
            {...{ difference: each, from, to }}
            isTop={tops.has(each.path)}
          />
        ))}
      </ul>
      <Problem text={problem} />
      {next !== null && (
        <button type="button" disabled={isReading} onClick={() => void readMore()}>
          Further differences
        </button>
      )}
    </>
  );
}

type ItemProps = {
  readonly difference: Difference;
  readonly from: string;
  readonly to: string;
  /** Nothing above it is among what was deleted. */
  readonly isTop: boolean;
};

function DifferenceItem({ difference, from, to, isTop }: ItemProps): JSX.Element {
  const { kind, path, before, after } = difference;
  const [doing, setDoing] = useState<"nothing" | "show" | "bringBack">("nothing");
  const isShown = doing === "show";
  return (
    <li>
      <div class="difference">
        <span class={`badge ${kind}`}>{differenceText(difference)}</span>
        <a class="path" href={hrefOf({ page: "past", path, zxid: kind === "deleted" ? from : to })}>
          {visible(path)}
        </a>
        <span class="quiet">{sidesText(before, after)}</span>
        <button
          type="button"
          aria-expanded={isShown}
          onClick={() => setDoing(isShown ? "nothing" : "show")}
        >
          Values
        </button>
        {kind === "deleted" && isTop && mayWrite.value && (
          <button type="button" onClick={() => setDoing("bringBack")}>
            Bring back …
          </button>
        )}
      </div>
      {isShown && (
        <Compare
          path={path}
          before={before === null ? undefined : from}
          after={after === null ? undefined : to}
        />
      )}
      {doing === "bringBack" && (
        <BringBackForm path={path} zxid={from} onDone={() => setDoing("nothing")} />
      )}
    </li>
  );
}

function sidesText(before: Side | null, after: Side | null): string {
  const text = ({ stat }: Side): string =>
    `version ${grouped(stat.version)}, ${bytes(stat.dataLength)}${stat.ephemeralOwner === null ? "" : ", ephemeral"}`;
  const sides = [before, after].filter((side) => side !== null);
  return sides.map(text).join(" → ");
}
