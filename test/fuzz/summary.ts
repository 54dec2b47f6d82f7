/** What came of a fuzzing run, target by target. */
import type { ThreadReport } from "./messages.ts";

type Figures = {
  inputs: number;
  ms: number;
  /** The number of behaviours that the best thread found. */
  behaviours: number;
  corpus: number;
  cpuMsMax: number;
};

export class Summary {
  readonly #targets = new Map<string, Figures>();
  readonly #startMs = performance.now();
  failures = 0;
  #functions = 0;

  add(report: ThreadReport): void {
    if (report.kind === "failure") this.failures += 1;
    else if (report.kind === "done") this.#functions = Math.max(this.#functions, report.functions);
    else {
      const figures = this.#of(report.target);
      figures.inputs += report.inputs;
      figures.ms += report.ms;
      figures.behaviours = Math.max(figures.behaviours, report.behaviours);
      figures.corpus = Math.max(figures.corpus, report.corpus);
      figures.cpuMsMax = Math.max(figures.cpuMsMax, report.cpuMsMax);
    }
  }

  /** Returns how many inputs the target with the fewest has had. */
  fewestInputs(targets: readonly string[]): number {
    return Math.min(...targets.map((name) => this.#of(name).inputs));
  }

  text(): string {
    const seconds = (performance.now() - this.#startMs) / 1000;
    const lines = [...this.#targets].map(([name, figures]) => {
      const { inputs, ms, behaviours, corpus, cpuMsMax } = figures;
      const rate = Math.round((inputs / Math.max(1, ms)) * 1000);
      const slowest = cpuMsMax === 0 ? "" : `, slowest ${cpuMsMax.toFixed(1)} ms`;
      return `${name}: ${inputs} inputs, ${rate} a second, ${behaviours} behaviours, ${corpus} kept${slowest}`;
    });
    const inputs = [...this.#targets.values()].reduce((sum, each) => sum + each.inputs, 0);
    const rate = Math.round(inputs / seconds);
    const total = `${inputs} inputs in ${seconds.toFixed(1)} s (${rate} a second), ${this.#functions} functions reached, ${this.failures} failures`;
    return [...lines, total].join("\n");
  }

  #of(name: string): Figures {
    const known = this.#targets.get(name);
    if (known !== undefined) return known;
    const figures = { inputs: 0, ms: 0, behaviours: 0, corpus: 0, cpuMsMax: 0 };
    this.#targets.set(name, figures);
    return figures;
  }
}
