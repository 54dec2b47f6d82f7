/** The tree as a list of which only the rows in sight exist, with the keys of a tree (the ARIA Authoring Practices' tree view). */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX, RefObject } from "preact";
import { counted, grouped } from "../format/numbers.ts";
import { nameOf, parentOf } from "../format/paths.ts";
import { visible } from "../format/values.ts";
import { landingOf } from "../tree-keys.ts";
import type { Row, TreeModel } from "../tree-model.ts";

/** Pixels; the style sheet has the same. */
const ROW = 28;
/** Rows above and below those in sight. */
const SPARE = 10;
const INDENT = 16;

type Props = {
  readonly model: TreeModel;
  readonly selected: string;
  readonly onChoose: (path: string) => void;
};

export function TreeList({ model, selected, onChoose }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const height = useHeight(box);
  const all = model.rows.value;
  const [active, setActive] = useState(selected);
  /** The row to bring in sight as soon as it is there, until somebody scrolls. */
  const sought = useRef<string | undefined>(undefined);
  useEffect(() => {
    setActive(selected);
    sought.current = selected;
  }, [selected]);
  const first = Math.max(Math.floor(top / ROW) - SPARE, 0);
  const some = all.slice(first, Math.ceil((top + height) / ROW) + SPARE);
  const firstMore = some.find((row) => row.kind === "more" && row.problem === undefined);
  useEffect(() => {
    if (firstMore !== undefined) void model.readMore(firstMore.path);
  }, [model, firstMore]);
  const at = all.findIndex((row) => row.kind === "znode" && row.path === active);
  useEffect(() => {
    if (at < 0 || sought.current !== all[at]?.path || box.current === null) return;
    sought.current = undefined;
    bringInSight(box.current, at);
  }, [at, all]);
  const moveTo = (index: number): void => {
    const row = all[index];
    if (row?.kind !== "znode") return;
    setActive(row.path);
    if (box.current !== null) bringInSight(box.current, all.indexOf(row));
  };
  const isActiveInSight = at >= first && at < first + some.length;
  return (
    <div
      class="tree"
      role="tree"
      aria-label="Znodes"
      tabIndex={0}
      ref={box}
      {...(isActiveInSight && { "aria-activedescendant": `row-${at}` })}
      onScroll={(event) => {
        sought.current = undefined;
        setTop(event.currentTarget.scrollTop);
      }}
      onKeyDown={(event) => {
        if (
          !handleKey(event.key, {
            ...{ all, at, moveTo, model, onChoose },
            page: Math.floor(height / ROW),
          })
        )
          return;
        event.preventDefault();
      }}
    >
      <div class="tree-rows" role="none" style={{ height: `${all.length * ROW}px` }}>
        {some.map((row, index) => (
          <TreeRow
            key={`${row.kind} ${row.path}`}
            {...{ row, index: first + index, model, onChoose }}
            isSelected={row.path === selected}
            isActive={row.path === active}
          />
        ))}
      </div>
    </div>
  );
}

function useHeight(box: RefObject<HTMLDivElement | null>): number {
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const observer = new ResizeObserver(() => setHeight(box.current?.clientHeight ?? 600));
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return height;
}

function bringInSight(box: HTMLElement, index: number): void {
  const [from, to] = [index * ROW, (index + 1) * ROW];
  if (from < box.scrollTop) box.scrollTop = from;
  else if (to > box.scrollTop + box.clientHeight) box.scrollTop = to - box.clientHeight;
}

type Keys = {
  readonly all: readonly Row[];
  readonly at: number;
  readonly moveTo: (index: number) => void;
  readonly page: number;
  readonly model: TreeModel;
  readonly onChoose: (path: string) => void;
};

/** Whether the key means something here. */
function handleKey(key: string, keys: Keys): boolean {
  const { all, at, moveTo, page, model, onChoose } = keys;
  const row = all[at];
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: all.length - 1,
  };
  const target = moves[key];
  if (target !== undefined) {
    moveTo(landingOf(all, { from: at, to: target }));
    return true;
  }
  if (row?.kind !== "znode") return false;
  if (key === "Enter" || key === " ") onChoose(row.path);
  else if (key === "ArrowRight" && !row.isOpen && canOpen(row)) void model.openBranch(row.path);
  else if (key === "ArrowRight" && row.isOpen) moveTo(at + 1);
  else if (key === "ArrowLeft" && row.isOpen) model.closeBranch(row.path);
  else if (key === "ArrowLeft") {
    const parent = parentOf(row.path);
    moveTo(all.findIndex((each) => each.kind === "znode" && each.path === parent));
  } else return false;
  return true;
}

function canOpen(row: Row): boolean {
  return row.kind === "znode" && (row.stat === undefined || row.stat.numChildren > 0);
}

type RowProps = Pick<Props, "model" | "onChoose"> & {
  readonly row: Row;
  readonly index: number;
  readonly isSelected: boolean;
  readonly isActive: boolean;
};

function TreeRow(props: RowProps): JSX.Element {
  const { row, index, isSelected, isActive, model, onChoose } = props;
  const style = { top: `${index * ROW}px`, paddingInlineStart: `${(row.level - 1) * INDENT}px` };
  const common = { id: `row-${index}`, role: "treeitem", style, "aria-level": row.level } as const;
  if (row.kind === "more") {
    const text = row.isFull
      ? `${grouped(row.left)} more: open one by its path, above`
      : `${grouped(row.left)} more …`;
    return (
      <div {...common} class="tree-row more">
        {row.problem ?? text}
      </div>
    );
  }
  const { path, stat, isOpen, position, setSize } = row;
  const opens = canOpen(row);
  return (
    <div
      {...common}
      class={`tree-row${isSelected ? " selected" : ""}${isActive ? " active" : ""}`}
      aria-selected={isSelected}
      aria-posinset={position}
      aria-setsize={setSize}
      {...(opens && { "aria-expanded": isOpen })}
      onClick={() => onChoose(path)}
      onDblClick={() => void toggle(model, row)}
    >
      <span
        class="twist"
        aria-hidden="true"
        onClick={(event) => {
          event.stopPropagation();
          void toggle(model, row);
        }}
      >
        {opens ? (isOpen ? "▾" : "▸") : ""}
      </span>
      <span class="name">{visible(nameOf(path))}</span>
      {stat !== undefined && stat.ephemeralOwner !== null && <span class="badge">ephemeral</span>}
      {stat !== undefined && stat.numChildren > 0 && (
        <span class="count" aria-label={counted(stat.numChildren, "child", "children")}>
          {grouped(stat.numChildren)}
        </span>
      )}
    </div>
  );
}

async function toggle(model: TreeModel, row: Row): Promise<void> {
  if (row.kind !== "znode" || !canOpen(row)) return;
  if (row.isOpen) model.closeBranch(row.path);
  else await model.openBranch(row.path);
}
