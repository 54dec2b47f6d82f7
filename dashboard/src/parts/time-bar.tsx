/** Chooses the zxid of the tree that is shown: by a slider over those that there are, by its number, or by the change before and after it. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { messageOf } from "../api.ts";
import { zxidInWords } from "../format/numbers.ts";
import { visible } from "../format/values.ts";
import {
  hexOf,
  lastPlace,
  placeOf,
  zxidAtPlace,
  zxidBefore,
  zxidOf,
  zxidProblem,
} from "../format/zxids.ts";
import { type ChangesPage, readPast, type Span } from "../past.ts";
import { hrefOf } from "../router.ts";
import { Problem } from "./problem.tsx";

type Props = {
  readonly span: Span;
  readonly path: string;
  readonly zxid: string;
  readonly onChoose: (zxid: string) => void;
};

/** A key that is held down, and a slider that is drawn, choose what they come to rest at: each tree is built. */
const REST_MS = 250;

export function TimeBar({ span, path, zxid, onChoose }: Props): JSX.Element {
  const { epochs, snapshots } = span;
  const [place, setPlace] = useState(placeOf(epochs, zxid));
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => setPlace(placeOf(epochs, zxid)), [zxid]);
  const shown = place === placeOf(epochs, zxid) ? zxid : (zxidAtPlace(epochs, place) ?? zxid);
  const move = (to: number): void => {
    setPlace(to);
    clearTimeout(timer.current);
    const chosen = zxidAtPlace(epochs, to);
    timer.current = setTimeout(() => chosen !== undefined && onChoose(chosen), REST_MS);
  };
  return (
    <section class="card time" aria-label="Which moment">
      <label>
        <span>
          Zxid <strong>{shown}</strong>
          <span class="quiet">, {zxidInWords(shown)}</span>
        </span>
        <input
          type="range"
          aria-label="Zxid"
          aria-valuetext={`zxid ${shown}, ${zxidInWords(shown)}`}
          list="snapshots"
          min={0}
          max={lastPlace(epochs)}
          value={place}
          onInput={(event) => move(Number(event.currentTarget.value))}
        />
      </label>
      <datalist id="snapshots">
        {snapshots.map((each) => (
          <option key={each} value={placeOf(epochs, each)} />
        ))}
      </datalist>
      <p class="quiet links">
        <span>
          From {span.from} to {span.to}
          {snapshots.length > 0 && ", with snapshots at"}
        </span>
        {snapshots.map((each) => (
          <a key={each} href={hrefOf({ page: "past", path, zxid: each })}>
            {each}
          </a>
        ))}
      </p>
      <Exactly {...{ zxid, path, onChoose }} />
    </section>
  );
}

type ExactlyProps = Pick<Props, "zxid" | "path" | "onChoose">;

function Exactly({ zxid, path, onChoose }: ExactlyProps): JSX.Element {
  const [text, setText] = useState(zxid);
  const [problem, setProblem] = useState<string>();
  useEffect(() => setText(zxid), [zxid]);
  const show = (): void => {
    const wanted = zxidOf(text);
    setProblem(zxidProblem(text));
    if (wanted !== undefined) onChoose(wanted);
  };
  const step = async (to: "before" | "after"): Promise<void> => {
    setProblem(undefined);
    try {
      const found = await changeBeside({ path, zxid, to });
      if (found === undefined) setProblem(`Nothing of ${visible(path)} has changed ${to} it.`);
      else onChoose(found);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <>
      <form
        class="go"
        onSubmit={(event) => {
          event.preventDefault();
          show();
        }}
      >
        <label>
          <span class="quiet">Exact zxid</span>
          <input
            value={text}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit">Show</button>
        <button type="button" onClick={() => void step("before")}>
          Before the last change here
        </button>
        <button type="button" onClick={() => void step("after")}>
          After the next change here
        </button>
        <a href={hrefOf({ page: "diff", path, from: zxid })}>Compare with now</a>
      </form>
      <Problem text={problem} />
    </>
  );
}

type Step = { readonly path: string; readonly zxid: string; readonly to: "before" | "after" };

/** The zxid of the tree without the last change of the znode or below it, or with the next one. */
async function changeBeside({ path, zxid, to }: Step): Promise<string | undefined> {
  const isBefore = to === "before";
  const query = isBefore
    ? { order: "newest", to: zxid }
    : { order: "oldest", from: hexOf(BigInt(zxid) + 1n) };
  const common = { path, recursive: "true", limit: 1 };
  const page = await readPast<ChangesPage>("history", { ...common, ...query });
  const found = page.changes[0]?.zxid;
  return found === undefined || !isBefore ? found : zxidBefore(found);
}
