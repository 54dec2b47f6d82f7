/** Reports results: as tables for people, as JSON for programs. */
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { dirname } from "node:path";
import type { Ensemble } from "./ensembles/ensemble.ts";
import { WORKLOADS, type Workload } from "./load/plan.ts";
import type { LoadOptions } from "./options.ts";
import { type Medians, mediansOf, type Round } from "./rounds.ts";

export type LoadReport = {
  readonly startedAt: string;
  readonly options: LoadOptions;
  readonly ensembles: readonly Ensemble[];
  readonly rounds: readonly Round[];
};

export type Ratio = {
  readonly workload: Workload;
  /** The first ensemble's operations per second and median latency, as multiples of those of the second. */
  readonly operationsPerSecond: number;
  readonly p50: number;
};

/** Aligns text in columns: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const lines = rows.map((row) => {
    return row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  });
  return `${lines.join("\n")}\n`;
}

/** Formats a number with separated thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function reportText({ options, ensembles, rounds }: LoadReport): string {
  const { connections, outstanding, valueBytes } = options;
  const load = `${connections} connections x ${outstanding} outstanding, ${valueBytes}-byte values`;
  const many = options.rounds > 1 ? `, medians of ${options.rounds} rounds` : "";
  const parts = [`${load}, ${options.seconds} s each${many}\n`, figuresTable(rounds)];
  const problems = problemsText(rounds);
  if (problems !== "") parts.push(problems);
  for (const { name } of ensembles) {
    const costs = costTable(rounds.filter((round) => round.ensemble === name));
    if (costs !== "")
      parts.push(`${name}: cpu seconds while measured, and resident MB at its end\n${costs}`);
  }
  const ratios = ratiosOf(rounds, ensembles);
  if (ratios.length > 0) parts.push(ratiosText(ratios, ensembles));
  return parts.join("\n");
}

/** Writes every round as JSON, with the medians and ratios, so that no reader needs to compute them. */
export async function writeJson(file: string, report: LoadReport): Promise<void> {
  const { ensembles, rounds } = report;
  const content = {
    startedAt: report.startedAt,
    machine: machine(),
    options: report.options,
    ensembles: ensembles.map(({ name, version, targets, processes }) => {
      return { name, version, targets, processes };
    }),
    medians: groups(rounds).map(({ ensemble, workload, medians }) => ({
      ensemble,
      workload,
      ...medians,
    })),
    ratios: ratiosOf(rounds, ensembles),
    rounds,
  };
  await writeJsonFile(file, content);
}

export async function writeJsonFile(file: string, content: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`);
}

export function machine(): object {
  return {
    processors: availableParallelism(),
    processor: cpus()[0]?.model,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  };
}

type Group = { readonly ensemble: string; readonly workload: Workload; readonly medians: Medians };

function groups(rounds: readonly Round[]): Group[] {
  const names = [...new Set(rounds.map(({ ensemble }) => ensemble))];
  return WORKLOADS.flatMap((workload) =>
    names.flatMap((ensemble) => {
      const own = rounds.filter((each) => each.ensemble === ensemble && each.workload === workload);
      return own.length === 0 ? [] : [{ ensemble, workload, medians: mediansOf(own) }];
    }),
  );
}

function figuresTable(rounds: readonly Round[]): string {
  const head = [
    "",
    "operations/s",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "servers' cpu s",
    "load's cpu s",
  ];
  const rows = groups(rounds).map(({ ensemble, workload, medians }) => [
    `${workload} ${ensemble}`,
    count(medians.operationsPerSecond),
    medians.p50.toFixed(2),
    medians.p99.toFixed(2),
    medians.p999.toFixed(2),
    medians.serverCpuSeconds > 0 ? medians.serverCpuSeconds.toFixed(1) : "-",
    medians.loadCpuSeconds.toFixed(1),
  ]);
  return table([head, ...rows]);
}

/** Returns the errors and losses of a round. They spoil its results, so they are always reported. */
export function problemsOf(round: Round): string[] {
  const { errors, connectionsLost, lossReasons, operationsLost } = round;
  const what = Object.entries(errors).map(([code, times]) => `error ${code} ${times} times`);
  if (connectionsLost > 0) {
    what.push(`${connectionsLost} connections lost (${lossReasons.join("; ")})`);
  }
  if (operationsLost > 0) what.push(`${operationsLost} operations never answered`);
  return what;
}

function problemsText(rounds: readonly Round[]): string {
  return rounds
    .filter((round) => problemsOf(round).length > 0)
    .map((round) => {
      const { ensemble, workload } = round;
      return `! ${ensemble} ${workload} round ${round.round}: ${problemsOf(round).join(", ")}\n`;
    })
    .join("");
}

function costTable(rounds: readonly Round[]): string {
  const labels = [...new Set(rounds.flatMap(({ servers }) => servers.map(({ label }) => label)))];
  if (labels.length === 0) return "";
  const workloads = WORKLOADS.filter((workload) =>
    rounds.some((each) => each.workload === workload),
  );
  const rows = labels.map((label) => {
    const cells = workloads.map((workload) => {
      const own = rounds.filter((each) => each.workload === workload).at(-1);
      const server = own?.servers.find((each) => each.label === label);
      if (server === undefined) return "-";
      return `${server.cpuSeconds.toFixed(1)} s ${count(server.residentBytes / 2 ** 20)} MB`;
    });
    return [label, ...cells];
  });
  return table([["last round", ...workloads], ...rows]);
}

function ratiosOf(rounds: readonly Round[], ensembles: readonly Ensemble[]): Ratio[] {
  const [first, second] = ensembles;
  if (first === undefined || second === undefined) return [];
  const all = groups(rounds);
  return WORKLOADS.flatMap((workload) => {
    const own = all.filter((group) => group.workload === workload);
    const ours = own.find(({ ensemble }) => ensemble === first.name)?.medians;
    const theirs = own.find(({ ensemble }) => ensemble === second.name)?.medians;
    if (ours === undefined || theirs === undefined) return [];
    const operationsPerSecond = ours.operationsPerSecond / theirs.operationsPerSecond;
    return [{ workload, operationsPerSecond, p50: ours.p50 / theirs.p50 }];
  });
}

function ratiosText(ratios: readonly Ratio[], ensembles: readonly Ensemble[]): string {
  const names = ensembles.map(({ name }) => name).join(" / ");
  const rows = ratios.map(({ workload, operationsPerSecond, p50 }) => [
    workload,
    `${operationsPerSecond.toFixed(1)} x`,
    `${p50.toFixed(2)} x`,
  ]);
  return table([[names, "operations/s", "p50"], ...rows]);
}
