/** One znode as it was, what it is today, and the way back. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { mayWrite } from "../access.ts";
import { codeOf, messageOf, type Znode } from "../api.ts";
import { nameOf } from "../format/paths.ts";
import { momentText } from "../format/times.ts";
import { visible } from "../format/values.ts";
import { type Transaction, type ZnodeThen, znodeAt } from "../past.ts";
import { AclList } from "../parts/acl-list.tsx";
import { BringBackForm } from "../parts/bring-back-form.tsx";
import { Compare } from "../parts/compare.tsx";
import { Lineage } from "../parts/lineage.tsx";
import { Problem } from "../parts/problem.tsx";
import { StatList } from "../parts/stat-list.tsx";
import { ValueView } from "../parts/value-view.tsx";
import { hrefOf } from "../router.ts";
import { readZnode } from "../tree-model.ts";

type Props = {
  readonly path: string;
  readonly zxid: string;
  /** Null: there was none. Undefined: it is not known yet. */
  readonly last: Transaction | null | undefined;
};

type Today = { readonly znode: Znode } | "gone" | { readonly problem: string };
type Doing = "nothing" | "compare" | "bringBack";

export function ZnodeThenView({ path, zxid, last }: Props): JSX.Element {
  const [znode, setZnode] = useState<ZnodeThen>();
  const [today, setToday] = useState<Today>();
  const [problem, setProblem] = useState<string>();
  const [doing, setDoing] = useState<Doing>("nothing");
  const lookToday = async (): Promise<void> => setToday(await todayOf(path));
  useEffect(() => {
    void znodeAt(path, zxid).then(setZnode, (error) => setProblem(messageOf(error)));
    void lookToday();
  }, []);
  const done = (): void => {
    setDoing("nothing");
    void lookToday();
  };
  return (
    <section class="znode" aria-labelledby="znode-path">
      <Lineage path={path} hrefOf={(each) => hrefOf({ page: "past", path: each, zxid })} />
      <h2 id="znode-path">{visible(nameOf(path))}</h2>
      <p class="then" role="status">
        {thenText(zxid, last)}
      </p>
      <p class="links">
        <a href={hrefOf({ page: "tree", path })}>As it is now</a>
        <a href={hrefOf({ page: "history", path })}>History</a>
      </p>
      <Problem text={problem} />
      {today !== undefined && znode !== undefined && <p>{todayText(today, znode)}</p>}
      {znode !== undefined && doing === "nothing" && (
        <div class="actions">
          <button type="button" onClick={() => setDoing("compare")}>
            Compare with now
          </button>
          {mayWrite.value && (
            <button type="button" onClick={() => setDoing("bringBack")}>
              Bring back …
            </button>
          )}
        </div>
      )}
      {doing === "compare" && (
        <section class="card" aria-label="What has changed since">
          <Compare path={path} before={zxid} after="now" />
          <button type="button" onClick={done}>
            Close
          </button>
        </section>
      )}
      {doing === "bringBack" && <BringBackForm path={path} zxid={zxid} onDone={done} />}
      {znode !== undefined && doing !== "bringBack" && (
        <>
          <ValueView znode={znode} />
          <StatList stat={znode.stat} />
          <AclList znode={znode} />
        </>
      )}
    </section>
  );
}

function thenText(zxid: string, last: Transaction | null | undefined): string {
  const begin = `The past: as it was at zxid ${zxid}.`;
  if (last === undefined) return `${begin} The tree of then is being built …`;
  if (last === null) return `${begin} There was no transaction yet.`;
  const by = last.zxid === zxid ? "Its transaction" : `The last transaction by then, ${last.zxid},`;
  return `${begin} ${by} was at ${momentText(last.time)}.`;
}

function todayText(today: Today, then: ZnodeThen): string {
  if (today === "gone") return "It is gone today.";
  if ("problem" in today) return `What it is today is not known: ${today.problem}`;
  const { stat } = today.znode;
  if (stat.czxid !== then.stat.czxid) return "It was deleted and made again since.";
  if (stat.mzxid !== then.stat.mzxid)
    return `Its value was set since: it has version ${stat.version}.`;
  return "Its value is the same today.";
}

async function todayOf(path: string): Promise<Today> {
  try {
    return { znode: await readZnode(path) };
  } catch (error) {
    return codeOf(error) === "ZOOID_NO_NODE" ? "gone" : { problem: messageOf(error) };
  }
}
