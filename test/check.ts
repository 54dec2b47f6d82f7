/** `npm run check`: the one gate. Every step runs, so that one run shows all there is; a step that fails counts as one. */
import { spawn } from "node:child_process";
import { parseTotals, totalsLine } from "./setup/tap.ts";

type Step = { readonly name: string; readonly script: string };

const STEPS: readonly Step[] = [
  { name: "format", script: "format:check" },
  { name: "lint", script: "lint" },
  { name: "types", script: "types" },
  { name: "dead code", script: "dead-code" },
  { name: "tests", script: "test" },
];

type StepResult = { readonly code: number; readonly output: string };

/** Passes the output on as it comes, and keeps it. */
async function runStep(step: Step): Promise<StepResult> {
  const child = spawn("npm", ["run", "--silent", step.script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8");
  for await (const text of child.stdout) {
    output += String(text);
    process.stdout.write(String(text));
  }
  const code =
    child.exitCode ??
    (await new Promise<number>((resolve) => {
      child.once("close", (closeCode) => resolve(closeCode ?? 1));
    }));
  return { code, output };
}

const totals = { passed: 0, failed: 0 };
for (const step of STEPS) {
  console.log(`── ${step.name}`);
  const startedMs = performance.now();
  const { code, output } = await runStep(step);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`   ${step.name}: ${code === 0 ? "ok" : "failed"}, ${seconds} s`);
  const ofTests = parseTotals(output);
  totals.passed += ofTests?.passed ?? 0;
  totals.failed += ofTests?.failed ?? (code === 0 ? 0 : 1);
}
console.log(totalsLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
