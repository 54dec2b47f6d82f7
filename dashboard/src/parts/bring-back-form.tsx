/** Makes again what is gone of a subtree: first it says what that is, and behind it what was not made, and why. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { messageOf, write } from "../api.ts";
import { whyText } from "../format/changes.ts";
import { counted, grouped } from "../format/numbers.ts";
import { visible } from "../format/values.ts";
import { type BroughtBack, type DiffPage, patiently, readPast, type Span } from "../past.ts";
import { hrefOf } from "../router.ts";
import { ActionForm } from "./action-form.tsx";
import { Problem } from "./problem.tsx";

/** Znodes that are counted before, and paths that are listed. What is brought back is not bounded by them. */
const COUNTED_MAX = 5000;
const LISTED_MAX = 50;
const PAGE = 500;

type Props = { readonly path: string; readonly zxid: string; readonly onDone: () => void };

type Review = {
  readonly gone: readonly string[];
  readonly ephemerals: readonly string[];
  /** False: there are more. */
  readonly isWhole: boolean;
};

type Report = Omit<BroughtBack, "next">;

export function BringBackForm({ path, zxid, onDone }: Props): JSX.Element {
  const [review, setReview] = useState<Review>();
  const [problem, setProblem] = useState<string>();
  const [made, setMade] = useState(0);
  const [report, setReport] = useState<Report>();
  useEffect(() => {
    setReview(undefined);
    void reviewOf(path, zxid).then(setReview, (error) => setProblem(messageOf(error)));
  }, [path, zxid]);
  const bringBack = async (): Promise<void> => setReport(await bringAllBack(path, zxid, setMade));
  if (report !== undefined) return <ReportView {...{ path, report, onDone }} />;
  const count = review?.gone.length ?? 0;
  return (
    <ActionForm
      title={`Bring back ${visible(path)} as it was at zxid ${zxid}`}
      submit={review === undefined ? "Bring back" : `Bring back ${counted(count, "znode")}`}
      kind="primary"
      isReady={count > 0}
      act={bringBack}
      onCancel={onDone}
    >
      {review === undefined && problem === undefined && <p>Looking what is gone since …</p>}
      <Problem text={problem} />
      {review !== undefined && <ReviewView review={review} />}
      {made > 0 && <p role="status">{counted(made, "znode")} made so far.</p>}
    </ActionForm>
  );
}

function ReviewView({ review }: { readonly review: Review }): JSX.Element {
  const { gone, ephemerals, isWhole } = review;
  if (gone.length === 0) return <p>Nothing of it is gone that could be brought back.</p>;
  return (
    <>
      <p>
        {isWhole ? "" : "At least "}
        {counted(gone.length, "znode")} {gone.length === 1 ? "is" : "are"} gone since then, and made
        again with {gone.length === 1 ? "its value and its list" : "their values and lists"} of
        access. What is there now stays as it is. Versions begin again at 0.
      </p>
      <Paths paths={gone} />
      {ephemerals.length > 0 && (
        <>
          <p>
            {counted(ephemerals.length, "ephemeral")}{" "}
            {ephemerals.length === 1
              ? "is not brought back: its client makes it"
              : "are not brought back: their clients make them"}
            .
          </p>
          <Paths paths={ephemerals} />
        </>
      )}
    </>
  );
}

function Paths({ paths }: { readonly paths: readonly string[] }): JSX.Element {
  return (
    <ul class="paths">
      {paths.slice(0, LISTED_MAX).map((path) => (
        <li key={path}>{visible(path)}</li>
      ))}
      {paths.length > LISTED_MAX && <li>and {grouped(paths.length - LISTED_MAX)} more</li>}
    </ul>
  );
}

type ReportProps = { readonly path: string; readonly report: Report; readonly onDone: () => void };

function ReportView({ path, report, onDone }: ReportProps): JSX.Element {
  const { made, present, left, closed } = report;
  return (
    <section class="card" aria-label="What was brought back">
      <p role="status">
        {counted(made, "znode")} {made === 1 ? "was" : "were"} brought back.
        {present > 0 && ` ${grouped(present)} stayed as they are today.`}
        {closed > 0 && ` ${grouped(closed)} could not be: not everybody might read them.`}
      </p>
      {left.length > 0 && (
        <>
          <p>Not brought back:</p>
          <Paths paths={left.map((each) => `${each.path} (${whyText(each.why)})`)} />
        </>
      )}
      <div class="actions">
        <a href={hrefOf({ page: "tree", path })}>Open {visible(path)} as it is now</a>
        <button type="button" onClick={onDone}>
          Close
        </button>
      </div>
    </section>
  );
}

/** What was there and is there no more. */
async function reviewOf(path: string, from: string): Promise<Review> {
  const { to } = await readPast<Span>("span");
  const gone: string[] = [];
  const ephemerals: string[] = [];
  let after: string | null = "";
  while (after !== null && gone.length < COUNTED_MAX) {
    const query = { path, from, to, limit: PAGE, after };
    const page: DiffPage = await readPast<DiffPage>("diff", query);
    for (const { kind, path: each, before } of page.changes) {
      if (kind !== "deleted") continue;
      const isEphemeral = before !== null && before.stat.ephemeralOwner !== null;
      (isEphemeral ? ephemerals : gone).push(each);
    }
    after = page.next;
  }
  return { gone, ephemerals, isWhole: after === null };
}

/** What is kept of a long report. */
const LEFT_MAX = 1000;

async function bringAllBack(
  path: string,
  zxid: string,
  onMade: (made: number) => void,
): Promise<Report> {
  let all: Report = { made: 0, present: 0, left: [], closed: 0 };
  let after: string | null = "";
  while (after !== null) {
    const body = { path, zxid, after };
    const page: BroughtBack = await patiently(() =>
      // What was made by an answer that was lost is there, and stays.
      write<BroughtBack>("bring-back", body),
    );
    all = {
      made: all.made + page.made,
      present: all.present + page.present,
      left: [...all.left, ...page.left].slice(0, LEFT_MAX),
      closed: all.closed + page.closed,
    };
    onMade(all.made);
    after = page.next;
  }
  return all;
}
