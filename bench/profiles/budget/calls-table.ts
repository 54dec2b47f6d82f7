/** System calls for one write, as a table: one row for each call, one column for each process. */
import { markdownTable, perWrite } from "./markdown.ts";
import type { SystemCalls } from "./strace.ts";

/** A call that is made less often for one write is left out. */
const LEAST = 0.1;

type Called = {
  readonly label: string;
  readonly calls: SystemCalls | undefined;
  readonly idle: SystemCalls | undefined;
};

export function callsTable(
  scenario: string,
  processes: readonly Called[],
  { operations, idleTimes }: { readonly operations: number; readonly idleTimes: number },
): string {
  const seen = processes.filter(({ calls }) => calls !== undefined);
  if (seen.length === 0 || operations === 0) {
    return `### System calls of ${scenario}\n\nstrace may not look at the nodes here.\n`;
  }
  const each = ({ calls, idle }: Called, name: string): number =>
    ((calls?.get(name) ?? 0) - (idle?.get(name) ?? 0) * idleTimes) / operations;
  const names = [...new Set(seen.flatMap(({ calls }) => [...(calls?.keys() ?? [])]))]
    .filter((name) => seen.some((process) => each(process, name) >= LEAST))
    .toSorted((a, b) => sumOf(seen, b, each) - sumOf(seen, a, each));
  const rows = names.map((name) => [name, ...seen.map((process) => perWrite(each(process, name)))]);
  const all = seen.map((process) =>
    perWrite(names.reduce((sum, name) => sum + each(process, name), 0)),
  );
  const head = ["system calls", ...seen.map(({ label }) => label)];
  return `### System calls of ${scenario}\n\n${markdownTable(head, [...rows, ["all", ...all]])}`;
}

function sumOf(
  processes: readonly Called[],
  name: string,
  each: (process: Called, name: string) => number,
): number {
  return processes.reduce((sum, process) => sum + each(process, name), 0);
}
