/** Reads the test runner's TAP stream line by line: what passed, what failed and why. */

export type TapEvent =
  | { readonly kind: "passed"; readonly title: string }
  /** `details`: what the runner says about it, line by line. */
  | { readonly kind: "failed"; readonly title: string; readonly details: readonly string[] };

const RESULT = /^(ok|not ok) \d+ - (.*)$/;

/** A skipped test and a test yet to be written count as failed: neither shows anything. */
export class TapReader {
  readonly #report: (event: TapEvent) => void;
  #failure: { title: string; details: string[] } | undefined;

  constructor(report: (event: TapEvent) => void) {
    this.#report = report;
  }

  line(line: string): void {
    const result = RESULT.exec(line);
    if (result === null) {
      this.#detail(line);
      return;
    }
    this.end();
    const [, outcome, title = ""] = result;
    if (outcome === "not ok" || / # (SKIP|TODO)\b/.test(title)) {
      this.#failure = { title, details: [] };
    } else {
      this.#report({ kind: "passed", title });
    }
  }

  /** Call once after the last line. */
  end(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) this.#report({ kind: "failed", ...failure });
  }

  #detail(line: string): void {
    const isDetail = line.startsWith(" ") || line.startsWith("#   ");
    if (isDetail && !/^ +(---|\.\.\.)$/.test(line)) this.#failure?.details.push(line);
  }
}

export type Totals = { readonly passed: number; readonly failed: number };

/** The last line that `npm test` and `npm run check` print. */
export function totalsLine(totals: Totals): string {
  return `${totals.passed} passed, ${totals.failed} failed`;
}

/** The totals of a text that ends in such a line. */
export function parseTotals(text: string): Totals | undefined {
  const match = /(?:^|\n)(\d+) passed, (\d+) failed\s*$/.exec(text);
  return match === null ? undefined : { passed: Number(match[1]), failed: Number(match[2]) };
}
