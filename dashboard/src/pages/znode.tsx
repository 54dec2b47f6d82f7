/** One znode: its value, its Stat in words, its access control list, and what may be done with it. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { codeOf, messageOf, type Znode } from "../api.ts";
import { visible } from "../format/values.ts";
import { onChanges } from "../live.ts";
import { mayWrite, offers } from "../access.ts";
import { AclList } from "../parts/acl-list.tsx";
import { CreateForm } from "../parts/create-form.tsx";
import { DeleteForm } from "../parts/delete-form.tsx";
import { Editor } from "../parts/editor.tsx";
import { Lineage } from "../parts/lineage.tsx";
import { Problem } from "../parts/problem.tsx";
import { StatList } from "../parts/stat-list.tsx";
import { OwnerView } from "../parts/owner-view.tsx";
import { ValueView } from "../parts/value-view.tsx";
import { WatchersView } from "../parts/watchers-view.tsx";
import { nameOf, parentOf } from "../format/paths.ts";
import { hrefOf } from "../router.ts";
import { readZnode } from "../tree-model.ts";

type Doing = "nothing" | "edit" | "create" | "delete";
type Loaded = { readonly znode?: Znode; readonly problem?: string; readonly isGone?: boolean };

export function ZnodeView({ path }: { readonly path: string }): JSX.Element {
  const [{ znode, problem, isGone = false }, setLoaded] = useState<Loaded>({});
  const [doing, setDoing] = useState<Doing>("nothing");
  const loads = useRef(0);
  const load = async (): Promise<void> => {
    loads.current += 1;
    const own = loads.current;
    try {
      const read = await readZnode(path);
      // An answer that was overtaken may be the older one.
      if (own === loads.current) setLoaded({ znode: read });
    } catch (error) {
      if (own !== loads.current) return;
      const gone = codeOf(error) === "ZOOID_NO_NODE";
      // What was last seen of it stays, so that an edit is not lost with it.
      setLoaded((before) => ({ ...before, problem: messageOf(error), isGone: gone }));
    }
  };
  useEffect(() => {
    void load();
    return onChanges(({ paths, unlisted }) => {
      const isOf = paths.some((each) => each === path || parentOf(each) === path);
      if (unlisted > 0 || isOf) void load();
    });
  }, [path]);
  const done = (): void => {
    setDoing("nothing");
    void load();
  };
  return (
    <section class="znode" aria-labelledby="znode-path">
      <Lineage path={path} hrefOf={(each) => hrefOf({ page: "tree", path: each })} />
      <h1 id="znode-path">{visible(nameOf(path))}</h1>
      <PastLinks path={path} />
      <Problem text={isGone ? "There is no such znode." : problem} />
      {znode !== undefined && doing === "edit" && (
        <Editor current={znode} isGone={isGone} onDone={done} />
      )}
      {znode !== undefined && doing === "create" && <CreateForm parent={path} onDone={done} />}
      {znode !== undefined && doing === "delete" && <DeleteForm path={path} onDone={done} />}
      {znode !== undefined && doing !== "edit" && !isGone && (
        <>
          {doing === "nothing" && <Actions znode={znode} onDo={setDoing} />}
          <ValueView znode={znode} />
          <StatList stat={znode.stat} />
          <AclList znode={znode} />
          {znode.stat.ephemeralOwner !== null && offers("sessions") && (
            <OwnerView id={znode.stat.ephemeralOwner} />
          )}
          {offers("znode-watchers") && <WatchersView path={path} />}
        </>
      )}
    </section>
  );
}

/** Also of a znode that is gone. */
function PastLinks({ path }: { readonly path: string }): JSX.Element {
  return (
    <p class="links">
      {offers("history") && <a href={hrefOf({ page: "history", path })}>History</a>}
      {offers("children-at") && <a href={hrefOf({ page: "past", path })}>As it was</a>}
      {offers("find") && <a href={hrefOf({ page: "search", path })}>Search below</a>}
    </p>
  );
}

type ActionsProps = { readonly znode: Znode; readonly onDo: (doing: Doing) => void };

function Actions({ znode, onDo }: ActionsProps): JSX.Element {
  if (!mayWrite.value) {
    return (
      <p class="quiet">
        Read-only: a node that was started with <code>--admin-writes true</code> lets whoever shows
        its token or a certificate write.
      </p>
    );
  }
  const isEphemeral = znode.stat.ephemeralOwner !== null;
  return (
    <div class="actions">
      <button type="button" onClick={() => onDo("edit")}>
        Edit value
      </button>
      <button type="button" disabled={isEphemeral} onClick={() => onDo("create")}>
        Create below
      </button>
      <button type="button" disabled={znode.path === "/"} onClick={() => onDo("delete")}>
        Delete …
      </button>
    </div>
  );
}
