/** A value as it was beside another one: what differs, by lines. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { codeOf, messageOf, type Znode } from "../api.ts";
import { comparable } from "../format/changes.ts";
import { visible } from "../format/values.ts";
import { znodeAt } from "../past.ts";
import { readZnode } from "../tree-model.ts";
import { DiffView } from "./diff-view.tsx";
import { Problem } from "./problem.tsx";

/** A zxid, or `now`; undefined: it was not there. */
type Point = string | undefined;

type Props = { readonly path: string; readonly before: Point; readonly after: Point };

type Loaded = readonly [before: Znode | undefined, after: Znode | undefined];

export function Compare({ path, before, after }: Props): JSX.Element {
  const [loaded, setLoaded] = useState<Loaded>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let isOver = false;
    const load = async (): Promise<void> => {
      try {
        // One after the other: the node builds one tree at a time.
        const both = [await valueAt(path, before), await valueAt(path, after)] as const;
        if (!isOver) setLoaded(both);
      } catch (error) {
        if (!isOver) setProblem(messageOf(error));
      }
    };
    void load();
    return () => {
      isOver = true;
    };
  }, [path, before, after]);
  if (problem !== undefined) return <Problem text={problem} />;
  if (loaded === undefined) return <p class="quiet">Reading the values …</p>;
  const [one, other] = loaded;
  const [from, to] = comparable(one, other);
  return (
    <>
      {one === undefined && <p class="quiet">There was no such znode before.</p>}
      {other === undefined && (
        <p class="quiet">{after === "now" ? "There is no such znode now." : "Then it was gone."}</p>
      )}
      <DiffView before={from} after={to} label={`What differs of ${visible(path)}`} />
    </>
  );
}

async function valueAt(path: string, point: Point): Promise<Znode | undefined> {
  if (point === undefined) return undefined;
  try {
    return await (point === "now" ? readZnode(path) : znodeAt(path, point));
  } catch (error) {
    if (codeOf(error) === "ZOOID_NO_NODE") return undefined;
    throw error;
  }
}
