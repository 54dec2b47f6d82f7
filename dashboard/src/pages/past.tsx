/** Time travel: the tree as it was after a transaction, which a slider chooses. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { messageOf } from "../api.ts";
import { type ChildrenThen, readPast, type Span, type Transaction, znodeAt } from "../past.ts";
import { GoTo } from "../parts/go-to.tsx";
import { Problem } from "../parts/problem.tsx";
import { TimeBar } from "../parts/time-bar.tsx";
import { TreeList } from "../parts/tree-list.tsx";
import { zxidOf, zxidProblem } from "../format/zxids.ts";
import { go, replaceBy } from "../router.ts";
import { TreeModel } from "../tree-model.ts";
import { ZnodeThenView } from "./znode-then.tsx";

type Props = { readonly path: string; readonly zxid: string | undefined };

export function PastPage({ path, zxid: given }: Props): JSX.Element {
  const [span, setSpan] = useState<Span>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    void readPast<Span>("span").then(setSpan, (error) => setProblem(messageOf(error)));
  }, []);
  const zxid = given === undefined ? span?.to : zxidOf(given);
  const wrong = given === undefined || zxid !== undefined ? undefined : zxidProblem(given);
  const choose = (to: string): void => replaceBy({ page: "past", path, zxid: to });
  return (
    <main class="past">
      <h1>The past</h1>
      <Problem text={problem ?? wrong} />
      {span === undefined && problem === undefined && <p>Asking what is kept …</p>}
      {span !== undefined && (
        <TimeBar {...{ span, path }} zxid={zxid ?? span.to} onChoose={choose} />
      )}
      {zxid !== undefined && <Then key={zxid} {...{ path, zxid }} />}
    </main>
  );
}

type ThenProps = { readonly path: string; readonly zxid: string };

/** Znodes that stay open when another zxid is chosen. Each is a question to the node. */
const OPEN_MAX = 20;
let openBefore: readonly string[] = [];

function Then({ path, zxid }: ThenProps): JSX.Element {
  const [last, setLast] = useState<Transaction | null>();
  const model = useRef<TreeModel | undefined>(undefined);
  model.current ??= new TreeModel({
    pageOf: async ({ path: of, limit, after, behind }) => {
      // They come in the order of their names, so that a page goes on behind any.
      const query = { path: of, zxid, limit, after: behind ?? after };
      const page = await readPast<ChildrenThen>("children-at", query);
      setLast(page.last);
      return { ...page, sorted: true };
    },
    statOf: async (of) => (await znodeAt(of, zxid)).stat,
  });
  const tree = model.current;
  useEffect(() => {
    const reopen = async (): Promise<void> => {
      for (const each of openBefore) await tree.openBranch(each);
    };
    void tree.openTo(path).then(reopen);
    return () => {
      openBefore = tree.openPaths.slice(0, OPEN_MAX);
    };
  }, []);
  useEffect(() => void tree.openTo(path), [path]);
  const show = (to: string): void => go({ page: "past", path: to, zxid });
  return (
    <div class="split">
      <div class="side">
        <GoTo path={path} onGo={show} />
        <TreeList model={tree} selected={path} onChoose={show} />
      </div>
      <ZnodeThenView key={path} {...{ path, zxid, last }} />
    </div>
  );
}
