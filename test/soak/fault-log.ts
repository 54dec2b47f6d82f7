/** What was done when: which client's trouble a fault explains, how long nothing could be written, how many of each there were. */

export type FaultWindow = {
  readonly kind: string;
  /** Nodes that it touches itself; empty if it touches all. */
  readonly nodes: readonly number[];
  readonly fromMs: number;
  /** Until everything it touched serves again. */
  toMs: number | undefined;
};

export type WriteGap = { readonly during: string; readonly gapMs: number };

/** A fault is felt for so long after its end: sessions are lost by timeouts, connections by silence. */
const AFTERMATH_MS = 6000;
/** Shorter gaps are not worth telling. */
const GAP_MS_MIN = 50;

/** In these one node is down, once or more. */
const ONE_DEATH: ReadonlySet<string> = new Set([
  "kill",
  "left-behind",
  "wrong-start",
  "copied-folder",
  "old-copy",
  "replaced",
]);
/** Processes beside the ensemble, of which no client of it notices anything. */
const BESIDE: ReadonlySet<string> = new Set(["twin", "stranger"]);

function isOneDeath(kind: string): boolean {
  return ONE_DEATH.has(kind);
}

export class FaultLog {
  readonly windows: FaultWindow[] = [];
  readonly #gaps = new Map<string, number>();
  #lastWriteMs: number | undefined;

  begin(kind: string, nodes: readonly number[], fromMs: number): FaultWindow {
    const window: FaultWindow = { kind, nodes, fromMs, toMs: undefined };
    this.windows.push(window);
    return window;
  }

  end(window: FaultWindow, toMs: number): void {
    window.toMs = toMs;
  }

  active(): readonly FaultWindow[] {
    return this.windows.filter(({ toMs }) => toMs === undefined);
  }

  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { kind } of this.windows) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }

  /** Whether a client may lose its connection to this node now. The death of one other node is no reason. */
  excuses(node: number, atMs: number): boolean {
    const felt = this.#felt(atMs - AFTERMATH_MS, atMs).filter(({ kind }) => !BESIDE.has(kind));
    const killed = new Set(felt.flatMap(({ kind, nodes }) => (isOneDeath(kind) ? nodes : [])));
    return killed.size > 1 || killed.has(node) || felt.some(({ kind }) => !isOneDeath(kind));
  }

  /** A write was acknowledged. */
  wrote(atMs: number): void {
    const last = this.#lastWriteMs;
    this.#lastWriteMs = atMs;
    if (last === undefined || atMs - last < GAP_MS_MIN) return;
    const kinds = new Set(this.#felt(last, atMs).map(({ kind }) => kind));
    const during = kinds.size === 0 ? "none" : [...kinds].sort().join(" + ");
    this.#gaps.set(during, Math.max(this.#gaps.get(during) ?? 0, atMs - last));
  }

  /** The longest for each combination of faults, longest first. */
  gaps(): readonly WriteGap[] {
    const gaps = [...this.#gaps].map(([during, gapMs]) => ({ during, gapMs }));
    return gaps.sort((a, b) => b.gapMs - a.gapMs);
  }

  #felt(fromMs: number, toMs: number): readonly FaultWindow[] {
    return this.windows.filter(
      (window) => window.fromMs <= toMs && (window.toMs === undefined || window.toMs >= fromMs),
    );
  }
}
