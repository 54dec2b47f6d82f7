/**
 * The folder of a running node changes during the look: a write may be incomplete, a file may have been removed. A real problem is
 * still there at the next look, in the same place. So a problem in such a folder counts only if two looks in a row have found it.
 */
import type { Finding, Look } from "./findings.ts";
import { FolderChanged } from "../../server/offline/read-only-folder.ts";

const LOOKS_MAX = 10;

export type Settled = {
  readonly look: Look;
  /** The process that had the folder open; undefined if none had. */
  readonly pid: number | undefined;
};

export async function settle(
  lookOnce: () => Promise<Look>,
  runningPid: () => number | undefined,
): Promise<Settled> {
  let last: Look | undefined;
  let lastChange: FolderChanged | undefined;
  let pid: number | undefined;
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const pidBefore = runningPid();
    let look: Look;
    try {
      look = await lookOnce();
    } catch (error) {
      if (!(error instanceof FolderChanged)) throw error;
      lastChange = error;
      continue;
    }
    pid = runningPid() ?? pidBefore;
    if (pid === undefined) return { look, pid };
    const before = last;
    last = look;
    const isSeenTwice = look.problems.every((problem) => wasSeen(problem, before));
    if (isSeenTwice) return { look: withoutWritesUnderWay(look), pid };
    if (looks === LOOKS_MAX - 1) {
      const problems = look.problems.filter((problem) => wasSeen(problem, before));
      return { look: withoutWritesUnderWay({ ...look, problems }), pid };
    }
  }
  if (last !== undefined) return { look: withoutWritesUnderWay({ ...last, problems: [] }), pid };
  throw new Error(
    `the folder changed during each of ${LOOKS_MAX} looks (the last time: ${lastChange?.message ?? ""}): stop its node, or inspect a copy`,
  );
}

function wasSeen(problem: Finding, before: Look | undefined): boolean {
  return (
    before?.problems.some(
      ({ kind, file, offset }) =>
        kind === problem.kind && file === problem.file && offset === problem.offset,
    ) === true
  );
}

/** Removes the notices of torn writes: a write that is under way looks like one that a crash has cut short. */
function withoutWritesUnderWay(look: Look): Look {
  return {
    ...look,
    notices: look.notices.filter(({ kind }) => kind !== "tornWrite"),
  };
}
