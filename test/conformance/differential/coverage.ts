/** Counts what programs have asked and how ZooKeeper answered: a comparison shows nothing of what is never drawn. */
import type { Line, Lines } from "./lines.ts";
import type { Program } from "./program.ts";

/** From here on a campaign has to have seen all that is expected. Fewer programs may miss what is rare. */
export const COMPLETE_PROGRAMS = 2000;

/** A member's result in the text of a multi's answer: its type, and the code of its header. */
const RESULT = /\((-?\d+),(-?\d+):/g;
const EVENT = /^event err=0 (-?\d+) /;

export class Coverage {
  readonly #counts = new Map<string, Map<string, number>>();

  add({ steps }: Program, theirs: Lines): void {
    for (const [index, step] of steps.entries()) {
      const ofStep = theirs.get(index);
      if (step.kind === "cut" || step.kind === "expire") this.#count(step.kind, "done");
      for (const [client, lines] of ofStep ?? []) {
        const isOwn = client === step.client;
        if (isOwn && step.kind === "open") this.#count("open", openOutcome(lines));
        if (isOwn && step.kind === "raw")
          for (const line of lines) this.#count("raw", outcome(line));
        for (const line of lines) this.#addLine(line);
      }
    }
  }

  #addLine(line: Line): void {
    if (line.kind === "event") this.#count("event", EVENT.exec(line.text)?.[1] ?? "other");
    const { request, code } = line;
    if (request === undefined || code === undefined) return;
    this.#count(request.op, String(code));
    if (request.members === undefined || code !== 0) return;
    for (const [at, [, , result = ""]] of [...line.text.matchAll(RESULT)].entries()) {
      const member = request.members[at];
      if (member !== undefined) this.#count(`${request.op} of ${member.op}`, result);
    }
  }

  #count(what: string, outcomeOf: string): void {
    const counts = this.#counts.get(what) ?? new Map<string, number>();
    this.#counts.set(what, counts);
    counts.set(outcomeOf, (counts.get(outcomeOf) ?? 0) + 1);
  }

  /** What was expected and never came. */
  missing(): readonly string[] {
    return Object.entries(EXPECTED).flatMap(([what, outcomes]) =>
      outcomes
        .filter((each) => !this.#counts.get(what)?.has(String(each)))
        .map((each) => `${what} ${each}`),
    );
  }

  /** A line for each operation, with how often each outcome came. */
  table(): readonly string[] {
    const width = Math.max(0, ...[...this.#counts.keys()].map((what) => what.length));
    return [...this.#counts]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([what, counts]) => {
        const outcomes = [...counts].toSorted(([, left], [, right]) => right - left);
        const shown = outcomes.map(([each, count]) => `${each} ×${count}`).join("  ");
        return `${what.padEnd(width)}  ${shown}`;
      });
  }
}

function openOutcome(lines: readonly Line[]): string {
  const [first] = lines;
  if (first === undefined) return "silent";
  if (first.kind !== "handshake") return first.kind;
  return first.text.includes("no session") ? "no session" : "granted";
}

function outcome({ kind, code }: Line): string {
  return code === undefined ? kind : String(code);
}

/** Every operation, and each outcome of it that does not come by rare chance. The numbers are codes of errors, or types of events. */
const EXPECTED: Readonly<Record<string, readonly (string | number)[]>> = {
  addWatch: [0, -5],
  auth: [0, -115],
  check: [-8, -101, -103],
  checkWatches: [0, -5, -121],
  closeSession: [0],
  create: [0, -5, -8, -101, -102, -108, -110, -114, -125],
  create2: [0, -5, -8, -101, -102, -110, -114, -125],
  createContainer: [0, -5, -8, -101, -102, -110, -114],
  createTtl: [0, -5, -8, -101, -110, -114],
  cut: ["done"],
  delete: [0, -5, -8, -101, -102, -103, -111],
  event: [4, 3, 2, 1],
  exists: [0, -5, -8, -101],
  expire: ["done"],
  getAcl: [0, -5, -101, -102],
  getAllChildrenNumber: [0, -5, -101],
  getChildren: [0, -5, -101, -102],
  getChildren2: [0, -5, -101, -102],
  getData: [0, -5, -101, -102],
  getEphemerals: [0, -5],
  multi: [0, -5],
  "multi of check": [0, -2, -8, -101, -103],
  "multi of create": [0, -2, -8, -101, -102, -110, -114],
  "multi of create2": [0, -2, -8, -101, -110, -114],
  "multi of createContainer": [0, -2, -101, -110],
  "multi of createTtl": [0, -2, -8],
  "multi of delete": [0, -2, -8, -101, -103, -111],
  "multi of setData": [0, -2, -8, -101, -103],
  multiRead: [0, -5],
  "multiRead of getChildren": [0, -101, -102],
  "multiRead of getData": [0, -101, -102],
  open: ["closed", "granted", "no session"],
  ping: [0],
  raw: [-5, -6, "closed"],
  reconfig: [-123],
  removeWatches: [-5, -121],
  setAcl: [0, -5, -8, -101, -102, -103, -114],
  setData: [0, -5, -8, -101, -102, -103],
  setWatches: [0, -5],
  setWatches2: [0, -5],
  sync: [0, -5],
  whoAmI: [0],
};
