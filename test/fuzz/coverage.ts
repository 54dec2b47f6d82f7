/** Which blocks of zooid's code have ever run in this thread, by V8's own coverage. */
import { type Profiler, Session } from "node:inspector";

/** Parts of a script, in order, that do not overlap: begin, end, begin, end, … */
type Parts = readonly number[];

const FOLDERS = /\/(?:runtime|protocol|actors|server|client|cli)\/[^?]*\.ts$/;

export class Coverage {
  readonly #session = new Session();
  /** For each function that has run, the parts of it that never have. */
  readonly #unseen = new Map<string, Parts>();

  constructor() {
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Functions that have run. */
  get functions(): number {
    return this.#unseen.size;
  }

  /** Whether anything ran since the last call that never had before. With `keep` it has from now on. */
  isNew(keep: boolean): boolean {
    let found = false;
    for (const script of this.#take()) {
      if (script.url.includes("/node_modules/") || !FOLDERS.test(script.url)) continue;
      for (const { ranges } of script.functions) {
        const [whole] = ranges;
        if (whole === undefined || whole.count === 0) continue;
        const key = `${script.scriptId} ${whole.startOffset} ${whole.endOffset}`;
        const before = this.#unseen.get(key);
        const notNow = partsThatDidNotRun(ranges);
        const left = before === undefined ? notNow : both(before, notNow);
        if (before !== undefined && lengthOf(left) === lengthOf(before)) continue;
        found = true;
        if (keep) this.#unseen.set(key, left);
      }
    }
    return found;
  }

  close(): void {
    this.#session.disconnect();
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    // Within one thread the answer comes before the call returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, answer) => {
      if (error !== null) throw error;
      taken = answer.result;
    });
    return taken;
  }

  #post(method: string, params: object = {}): void {
    this.#session.post(method, params, (error) => {
      if (error !== null) throw error;
    });
  }
}

/** Where ranges are nested, the innermost one counts. */
function partsThatDidNotRun(ranges: readonly Profiler.CoverageRange[]): Parts {
  const parts: number[] = [];
  for (const { startOffset, endOffset, count } of ranges) {
    if (count > 0) continue;
    const last = parts.at(-1);
    if (last !== undefined && startOffset < last) continue;
    parts.push(startOffset, endOffset);
  }
  return parts;
}

function both(first: Parts, second: Parts): Parts {
  const parts: number[] = [];
  let one = 0;
  let other = 0;
  while (one < first.length && other < second.length) {
    const from = Math.max(first[one] as number, second[other] as number);
    const to = Math.min(first[one + 1] as number, second[other + 1] as number);
    if (from < to) parts.push(from, to);
    if ((first[one + 1] as number) < (second[other + 1] as number)) one += 2;
    else other += 2;
  }
  return parts;
}

function lengthOf(parts: Parts): number {
  let length = 0;
  for (let index = 0; index < parts.length; index += 2) {
    length += (parts[index + 1] as number) - (parts[index] as number);
  }
  return length;
}
