/** What has happened to a znode, newest first: when, what, and who did it. Also of one that is gone. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Fragment, type JSX } from "preact";
import { messageOf } from "../api.ts";
import { causeText, excerptOf, kindText } from "../format/changes.ts";
import { bytes, counted, grouped } from "../format/numbers.ts";
import { momentText } from "../format/times.ts";
import { visible } from "../format/values.ts";
import { zxidBefore } from "../format/zxids.ts";
import { type Change, type ChangesPage, readPast } from "../past.ts";
import { Compare } from "../parts/compare.tsx";
import { GoTo } from "../parts/go-to.tsx";
import { Problem } from "../parts/problem.tsx";
import { go, hrefOf } from "../router.ts";

const PAGE = 50;

type Props = {
  readonly path: string;
  /** Also of all that is or was below it. */
  readonly isBelow: boolean;
};

type Listed = {
  readonly changes: readonly Change[];
  readonly next: string | null;
  readonly from: string;
};

export function HistoryPage({ path, isBelow }: Props): JSX.Element {
  const { listed, problem, isReading, readMore } = useHistory(path, isBelow);
  return (
    <main>
      <h1>History of {visible(path)}</h1>
      <GoTo path={path} onGo={(to) => go({ page: "history", path: to, ...belowOf(isBelow) })} />
      <label class="check">
        <input
          type="checkbox"
          checked={isBelow}
          onChange={() => go({ page: "history", path, ...belowOf(!isBelow) })}
        />
        Also of all that is or was below it
      </label>
      <p class="links">
        <a href={hrefOf({ page: "tree", path })}>As it is now</a>
        <a href={hrefOf({ page: "past", path })}>Time travel</a>
        <a href={hrefOf({ page: "diff", path })}>Compare two points</a>
      </p>
      {listed === undefined && problem === undefined && <p>Looking through the log …</p>}
      {listed !== undefined && <Changes {...{ listed, isBelow }} />}
      <Problem text={problem} />
      {listed !== undefined && listed.next !== null && (
        <button type="button" disabled={isReading} onClick={readMore}>
          {isReading ? "Looking through the log …" : "Older changes"}
        </button>
      )}
      {listed !== undefined && listed.next === null && (
        <p class="quiet">
          {counted(listed.changes.length, "change")}. What is kept begins at zxid {listed.from}.
        </p>
      )}
    </main>
  );
}

function belowOf(isBelow: boolean): { readonly below?: string } {
  return isBelow ? { below: "true" } : {};
}

type HistoryState = {
  readonly listed: Listed | undefined;
  readonly problem: string | undefined;
  readonly isReading: boolean;
  readonly readMore: () => void;
};

function useHistory(path: string, isBelow: boolean): HistoryState {
  const [listed, setListed] = useState<Listed>();
  const [problem, setProblem] = useState<string>();
  const [isReading, setIsReading] = useState(false);
  const isOver = useRef(false);
  const readMore = async (): Promise<void> => {
    setIsReading(true);
    setProblem(undefined);
    try {
      const after = listed?.next ?? undefined;
      const recursive = String(isBelow);
      const page = await readPast<ChangesPage>("history", { path, recursive, limit: PAGE, after });
      if (isOver.current) return;
      const changes = [...(listed?.changes ?? []), ...page.changes];
      setListed({ changes, next: page.next, from: page.known.from });
    } catch (error) {
      if (!isOver.current) setProblem(messageOf(error));
    }
    setIsReading(false);
  };
  useEffect(() => {
    void readMore();
    return () => {
      isOver.current = true;
    };
  }, []);
  return { listed, problem, isReading, readMore: () => void readMore() };
}

type ChangesProps = { readonly listed: Listed; readonly isBelow: boolean };

function Changes({ listed, isBelow }: ChangesProps): JSX.Element {
  const [compared, setCompared] = useState<string>();
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Changes">
      <table class="changes">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            {isBelow && <th scope="col">Znode</th>}
            <th scope="col">Version</th>
            <th scope="col">Size</th>
            <th scope="col">Value</th>
            <th scope="col">Who</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          {listed.changes.map((change) => {
            const key = `${change.zxid} ${change.index}`;
            const isCompared = compared === key;
            return (
              <Fragment key={key}>
                <ChangeRow
                  {...{ change, isBelow, isCompared }}
                  onCompare={() => setCompared(isCompared ? undefined : key)}
                />
                {isCompared && (
                  <tr>
                    <td colSpan={isBelow ? 8 : 7}>
                      <Compare path={change.path} before={thenOf(change)} after="now" />
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** The tree in which the change is seen; the one before it, where the znode is gone with it. */
function thenOf({ kind, zxid }: Change): string {
  return kind === "deleted" ? zxidBefore(zxid) : zxid;
}

type RowProps = {
  readonly change: Change;
  readonly isBelow: boolean;
  readonly isCompared: boolean;
  readonly onCompare: () => void;
};

function ChangeRow({ change, isBelow, isCompared, onCompare }: RowProps): JSX.Element {
  const { path, zxid, stat, time } = change;
  const then = thenOf(change);
  return (
    <tr>
      <td>
        {momentText(time)}
        <div class="quiet">zxid {zxid}</div>
      </td>
      <td>
        {kindText(change.kind)}
        {stat.ephemeralOwner !== null && " (ephemeral)"}
      </td>
      {isBelow && (
        <td class="path">
          <a href={hrefOf({ page: "history", path })}>{visible(path)}</a>
        </td>
      )}
      <td>{grouped(stat.version)}</td>
      <td>{bytes(stat.dataLength)}</td>
      <td class="value-cell">{excerptOf(change.base64)}</td>
      <td class="who">{causeText(change.by)}</td>
      <td>
        <div class="actions">
          <a href={hrefOf({ page: "past", path, zxid: then })}>
            {change.kind === "deleted" ? "As it was before" : "As it was then"}
          </a>
          <button type="button" aria-expanded={isCompared} onClick={onCompare}>
            Compare with now
          </button>
        </div>
      </td>
    </tr>
  );
}
