/** The tree as a list of which only the rows in sight exist, with the keys of a tree (the ARIA Authoring Practices' tree view). */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { JSX, RefObject } from "preact";
import { counted, grouped } from "../format/numbers.ts";
import { nameOf, parentOf } from "../format/paths.ts";
import { visible } from "../format/values.ts";
import { landingOf } from "../tree-keys.ts";
import type { TreeModel } from "../tree-model.ts";
import type { MoreRow, Row, TreeRows } from "../tree-rows.ts";

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
  const more = some.find((row) => row.kind === "more" && row.problem === undefined && !row.isGap);
  const moreKey = more === undefined ? "" : keyOf(more);
  useEffect(() => {
    if (more?.kind === "more") void model.readMore(more.path, more.stretch);
  }, [model, all, moreKey]);
  const at = useMemo(() => all.indexOf(active), [all, active]);
  useEffect(() => {
    if (at < 0 || sought.current !== active || box.current === null) return;
    sought.current = undefined;
    if (!isInSight(box.current, at))
      box.current.scrollTop = at * ROW - box.current.clientHeight / 2;
  }, [at, all]);
  const moveTo = (index: number): void => {
    const row = all.at(index);
    if (row?.kind !== "znode") return;
    setActive(row.path);
    if (box.current !== null) bringInSight(box.current, index);
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
            key={keyOf(row)}
            {...{ row, index: first + index, model, onChoose }}
            isSelected={row.path === selected}
            isActive={row.path === active}
          />
        ))}
      </div>
    </div>
  );
}

/** One for each row. */
function keyOf(row: Row): string {
  return row.kind === "znode" ? row.path : `more ${row.stretch} ${row.path}`;
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

function isInSight({ scrollTop, clientHeight }: HTMLElement, index: number): boolean {
  return index * ROW >= scrollTop && (index + 1) * ROW <= scrollTop + clientHeight;
}

function bringInSight(box: HTMLElement, index: number): void {
  const [from, to] = [index * ROW, (index + 1) * ROW];
  if (from < box.scrollTop) box.scrollTop = from;
  else if (to > box.scrollTop + box.clientHeight) box.scrollTop = to - box.clientHeight;
}

type Keys = {
  readonly all: TreeRows;
  readonly at: number;
  readonly moveTo: (index: number) => void;
  readonly page: number;
  readonly model: TreeModel;
  readonly onChoose: (path: string) => void;
};

/** Whether the key means something here. */
function handleKey(key: string, keys: Keys): boolean {
  const { all, at, moveTo, page, model, onChoose } = keys;
  const [row, below] = [all.at(at), all.at(at + 1)];
  if (key === "ArrowDown" && below?.kind === "more" && below.isGap && !below.isFull) {
    void model.readMore(below.path, below.stretch);
    return true;
  }
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
    moveTo(all.indexOf(parentOf(row.path)));
  } else return false;
  return true;
}

function canOpen(row: Row): boolean {
  return row.kind === "znode" && row.numChildren !== 0;
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
    return (
      <div
        {...common}
        class="tree-row more"
        {...(row.isGap && { onClick: () => void model.readMore(row.path, row.stretch) })}
      >
        {row.problem ?? moreText(row)}
      </div>
    );
  }
  const { path, numChildren = 0, isEphemeral, isOpen, position, setSize } = row;
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
      {isEphemeral && <span class="badge">ephemeral</span>}
      {numChildren > 0 && (
        <span class="count" aria-label={counted(numChildren, "child", "children")}>
          {grouped(numChildren)}
        </span>
      )}
    </div>
  );
}

function moreText({ left, isSplit, isGap, isFull }: MoreRow): string {
  const many = `${isSplit ? "some of " : ""}${grouped(left)} more`;
  if (isFull) return `${many}: open one by its path, above`;
  return isGap ? `${many}: click to read on here` : `${many} …`;
}

async function toggle(model: TreeModel, row: Row): Promise<void> {
  if (row.kind !== "znode" || !canOpen(row)) return;
  if (row.isOpen) model.closeBranch(row.path);
  else await model.openBranch(row.path);
}
