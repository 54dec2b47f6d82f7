/** Reads what stands in line below a znode, and looks for such znodes below another one. */
import { offers } from "./access.ts";
import {
  type ChildrenPage,
  codeOf,
  messageOf,
  read,
  type SessionRow,
  type SessionsPage,
  type Stat,
  type Znode,
} from "./api.ts";
import { childOf } from "./format/paths.ts";
import {
  type Kind,
  leasesIn,
  mayBeAbove,
  mayBeLeases,
  type Member,
  recognise,
  type Recognised,
  semaphoreOf,
  waitingAt,
} from "./format/queues.ts";

const PAGE = 500;
/** A line of more is read in part, which is said. */
const PAGES_MAX = 4;
/** Members of whom the value and the session are asked for. */
const SHOWN_MAX = 50;

export type Place = Member<Stat> & {
  readonly path: string;
  /** Null: it has none, or it is no text. */
  readonly value: string | null;
  /** Undefined: no node that has answered knows the session, or there is none. */
  readonly row: SessionRow | undefined;
};

export type Line = Pick<Recognised<Stat>, "kind" | "layout" | "others"> & {
  readonly places: readonly Place[];
  /** How many stand behind those. */
  readonly further: number;
  /** How many of all wait. */
  readonly waiting: number;
  /** How many children were not read, so that some of them may stand before those that are shown. */
  readonly unread: number;
  /** How many may have what is waited for, of a semaphore that says so. */
  readonly leases: number | undefined;
};

type Children = ChildrenPage["children"];
type Semaphore = { readonly leases: number; readonly recognised: Recognised<Stat> };

/** Values by the path and the zxid at which they were set: a line that moves on has most of its members as before. */
export type Values = Map<string, string | null>;

/** Undefined: the children are not those of anything that is known. Throws ApiError. */
export async function readLine(path: string, values: Values): Promise<Line | undefined> {
  const children: Children[number][] = [];
  let next: string | null = "";
  let unread = 0;
  for (let pages = 0; pages < PAGES_MAX && next !== null; pages += 1) {
    const page: ChildrenPage = await childrenOf(path, PAGE, next);
    children.push(...page.children);
    next = page.next;
    unread = next === null ? 0 : Math.max(page.stat.numChildren - children.length, 0);
  }
  const byName = recognise(children);
  const semaphore = byName === undefined ? await semaphoreAt(path, children) : undefined;
  const recognised = byName ?? semaphore?.recognised;
  if (recognised === undefined) return undefined;
  const { kind, layout, others, members } = recognised;
  const shown = members.slice(0, SHOWN_MAX);
  const pathOf = ({ name, state }: Member<Stat>): string =>
    childOf(semaphore !== undefined && state === "waits" ? waitingAt(path) : path, name);
  const [rows, texts] = await Promise.all([
    rowsOf(shown),
    Promise.all(shown.map((member) => valueOf(pathOf(member), member, values))),
  ]);
  const places = shown.map((member, index) => ({
    ...member,
    path: pathOf(member),
    value: texts[index] ?? null,
    row: rows.get(member.stat.ephemeralOwner ?? ""),
  }));
  return {
    ...{ kind, layout, others, places, unread, leases: semaphore?.leases },
    further: members.length - shown.length,
    waiting: members.filter(({ state }) => state === "waits").length,
  };
}

/** One of kazoo's, with those who wait. Undefined: it is none. */
async function semaphoreAt(path: string, children: Children): Promise<Semaphore | undefined> {
  const leases = await leasesAt(path, children);
  if (leases === undefined) return undefined;
  const waiting = await childrenOf(waitingAt(path), PAGE, "").then(
    (page) => recognise(page.children)?.members ?? [],
    // Nobody has waited yet, or it has no place here.
    () => [],
  );
  return { leases, recognised: semaphoreOf(children, waiting) };
}

/** How many leases a semaphore of kazoo's has. Undefined: it is none. */
async function leasesAt(path: string, children: Children): Promise<number | undefined> {
  if (!mayBeLeases(children)) return undefined;
  const value = await read<Znode>("znode", { path }).then(
    ({ text }) => text,
    () => null,
  );
  return leasesIn(value, children.length);
}

function childrenOf(path: string, limit: number, after: string): Promise<ChildrenPage> {
  const query = { path, limit, after: after === "" ? undefined : after };
  return read<ChildrenPage>("children", query);
}

async function rowsOf(members: readonly Member<Stat>[]): Promise<ReadonlyMap<string, SessionRow>> {
  const ids = new Set(members.flatMap(({ stat }) => stat.ephemeralOwner ?? []));
  if (ids.size === 0 || !offers("sessions")) return new Map();
  const query = { ids: [...ids].join(","), limit: ids.size };
  const { sessions } = await read<SessionsPage>("sessions", query);
  return new Map(sessions.map((row) => [row.session, row]));
}

async function valueOf(
  path: string,
  { stat }: Member<Stat>,
  values: Values,
): Promise<string | null> {
  if (stat.dataLength === 0) return null;
  const key = `${path} ${stat.mzxid}`;
  const known = values.get(key);
  if (known !== undefined) return known;
  if (values.size > 10 * SHOWN_MAX) values.clear();
  const value = await read<Znode>("znode", { path }).then(
    ({ text }) => text,
    // It has gone meanwhile, or not everybody may read it.
    (error: unknown) => (codeOf(error) === "ZOOID_NO_AUTH" ? "may not be read by everybody" : null),
  );
  values.set(key, value);
  return value;
}

export type Finding = {
  readonly path: string;
  readonly kind: Kind;
  readonly layout: string;
  readonly members: number;
};

export type Search = {
  readonly findings: readonly Finding[];
  readonly looked: number;
  /** What is still to be looked at. */
  readonly waiting: readonly string[];
  /** Znodes with so many children that only the first page of them was looked at. */
  readonly partly: readonly string[];
  /** What could not be read, and why. */
  readonly problems: readonly string[];
};

export function beginSearch(top: string): Search {
  return { findings: [], looked: 0, waiting: [top], partly: [], problems: [] };
}

/** Znodes whose children are looked at until somebody says to go on, and how many of them at a time: a page must not keep a node busy. */
export const LOOKED_AT_MAX: number = 200;
const AT_ONCE = 3;
const LOOKED_PAGE = 200;

/** Looks at the next few, nearest first. */
export async function lookFurther(search: Search): Promise<Search> {
  const some = search.waiting.slice(0, AT_ONCE);
  const findings = [...search.findings];
  const waiting = search.waiting.slice(some.length);
  const partly = [...search.partly];
  const problems = [...search.problems];
  const pages = await Promise.all(
    some.map((path) => childrenOf(path, LOOKED_PAGE, "").catch((error: unknown) => error)),
  );
  for (const [index, page] of pages.entries()) {
    const path = some[index] ?? "/";
    if (page instanceof Error) {
      // What has gone meanwhile has nothing below it.
      if (codeOf(page) !== "ZOOID_NO_NODE") problems.push(`${path}: ${messageOf(page)}`);
      continue;
    }
    const { children, stat, next } = page as ChildrenPage;
    const recognised = recognise(children);
    if (recognised !== undefined) {
      const { kind, layout, others, members } = recognised;
      const count = next === null ? members.length : stat.numChildren - others;
      findings.push({ path, kind, layout, members: count });
    } else if ((await leasesAt(path, children)) !== undefined) {
      findings.push({ path, kind: "semaphore", layout: "kazoo", members: stat.numChildren });
    }
    if (next !== null) partly.push(path);
    for (const child of children) {
      if (child.stat.numChildren > 0 && mayBeAbove(child.name)) {
        waiting.push(childOf(path, child.name));
      }
    }
  }
  return { findings, looked: search.looked + some.length, waiting, partly, problems };
}
