/**
 * Where zooid means to differ from ZooKeeper: each has its name and reason in docs/compatibility-differences.md, and a matcher that holds
 * for as little as can be. A matcher takes what one connection received in one step from ZooKeeper and from zooid, and makes of
 * either what has to be equal.
 */
import { areEqual, isEqual } from "./compare.ts";
import type { Line } from "./lines.ts";
import type { Request, Step } from "./program.ts";

export type Pair = { readonly theirs: readonly Line[]; readonly ours: readonly Line[] };

type Intended = {
  readonly name: string;
  /** Undefined: it has nothing to do with this. */
  readonly match: (pair: Pair, step: Step) => Pair | undefined;
  /** What comes after cannot be compared, since the connections differ. */
  readonly ends?: true;
};

const NO_WATCHER = -121;
const MARSHALLING_ERROR = -5;
const INVALID_ACL = -114;

function codeIs(line: Line | undefined, ...codes: readonly number[]): boolean {
  return line?.code !== undefined && codes.includes(line.code);
}

function hasNullId(request: Request | undefined): boolean {
  if (request?.acl?.some(({ id }) => id === null) === true) return true;
  return request?.members?.some((member) => hasNullId(member)) === true;
}

/** Takes out of both what is answered to the same requests, where this holds for the two answers. */
function withoutAnswers(
  { theirs, ours }: Pair,
  isMeant: (their: Line, our: Line) => boolean,
): Pair | undefined {
  const meant = new Set<Request>();
  for (const their of theirs) {
    const our = ours.find(({ request }) => request !== undefined && request === their.request);
    if (our?.request === undefined || isEqual(their, our)) continue;
    if (isMeant(their, our)) meant.add(our.request);
  }
  if (meant.size === 0) return undefined;
  const isLeft = ({ request }: Line): boolean => request === undefined || !meant.has(request);
  return { theirs: theirs.filter(isLeft), ours: ours.filter(isLeft) };
}

export const INTENDED: readonly Intended[] = [
  {
    name: "check outside a multi",
    match: ({ theirs, ours }) => {
      const isMeant = ({ request, code }: Line): boolean =>
        request?.op === "check" && code === 0 && !theirs.some((line) => line.request === request);
      const left = ours.filter((line) => !isMeant(line));
      return left.length === ours.length ? undefined : { theirs, ours: left };
    },
  },
  {
    name: "null id in an ACL",
    match: (pair) =>
      withoutAnswers(pair, (their, our) => {
        const isRefused = codeIs(our, INVALID_ACL) || our.text.includes(`,${INVALID_ACL}:`);
        return hasNullId(our.request) && codeIs(their, MARSHALLING_ERROR) && isRefused;
      }),
  },
  {
    name: "kinds of watchers",
    match: (pair) =>
      withoutAnswers(pair, (their, our) => {
        const isOne = (line: Line): boolean => codeIs(line, 0, NO_WATCHER, MARSHALLING_ERROR);
        return our.request?.op === "checkWatches" && isOne(their) && isOne(our);
      }),
  },
  {
    name: "kinds of watchers",
    ends: true,
    match: (pair) =>
      withoutAnswers(pair, (their, our) => {
        const isOne = (line: Line): boolean => codeIs(line, 0, NO_WATCHER, MARSHALLING_ERROR);
        return our.request?.op === "removeWatches" && isOne(their) && isOne(our);
      }),
  },
];

/** Returns the intended differences that make the two equal, if there are such. */
export function explains(
  step: Step,
  pair: Pair,
): { readonly names: readonly string[]; readonly ends: boolean } | undefined {
  let left = pair;
  const names: string[] = [];
  let ends = false;
  for (const { name, match, ends: isEnd } of INTENDED) {
    const matched = match(left, step);
    if (matched === undefined) continue;
    left = matched;
    names.push(name);
    ends ||= isEnd === true;
    if (areEqual(left.theirs, left.ours)) return { names, ends };
  }
  return undefined;
}
