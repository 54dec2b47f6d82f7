/** Runs a mutant, or the control, in a process of its own and hears what becomes of it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Report, Setting } from "./child.ts";

export type Fate =
  | { readonly kind: "caught"; readonly seed: number; readonly violation: string }
  | { readonly kind: "survived"; readonly seeds: number }
  | { readonly kind: "broken"; readonly error: string };

/** A seed takes a fraction of a second; one that takes so long will never end. */
const SEED_TIMEOUT_MS = 120_000;

const MAIN: string = fileURLToPath(new URL("main.ts", import.meta.url));

/** `name` undefined: the control. */
export async function runMutant(
  name: string | undefined,
  seeds: number,
  onPassed: (seed: number) => void = () => {},
  { plan, failing, story, campaign }: Setting = {},
): Promise<Fate> {
  const child = spawn(
    process.execPath,
    [
      MAIN,
      "--child",
      ...(name === undefined ? [] : ["--only", name]),
      "--seeds",
      `${seeds}`,
      ...(plan === undefined ? [] : ["--plan", plan]),
      ...(failing === undefined ? [] : ["--failing", failing]),
      ...(story === undefined ? [] : ["--story", story]),
      ...(campaign === undefined ? [] : ["--campaign", campaign]),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const exited = new Promise<string>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  let passed = 0;
  let fate: Fate | undefined;
  const watchdog = setTimeout(() => {
    const seed = passed + 1;
    fate = { kind: "caught", seed, violation: "liveness: the run does not end" };
    child.kill("SIGKILL");
  }, SEED_TIMEOUT_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    watchdog.refresh();
    const report = JSON.parse(line) as Report;
    if (report.kind === "passed") {
      passed = report.seed;
      onPassed(passed);
    } else {
      fate ??= report;
    }
  }
  const end = await exited;
  clearTimeout(watchdog);
  if (fate !== undefined) return fate;
  if (passed === (story === undefined ? seeds : 1)) return { kind: "survived", seeds: passed };
  return { kind: "broken", error: `its process ended with ${end} after seed ${passed}: ${errors}` };
}
