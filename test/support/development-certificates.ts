/** Certificates as `zooid certs` makes them, for tests that use TLS as its user does. */
import { run } from "../../cli/certs/run.ts";

/** `flags`: those of the command, without dashes. */
export async function makeCertificates(
  folder: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<void> {
  const problems: string[] = [];
  const output = {
    print: (): void => undefined,
    complain: (problem: string): void => void problems.push(problem),
  };
  await run(new Map(Object.entries(flags)), new Map([["folder", folder]]), output);
  if (problems.length > 0) throw new Error(problems.join("\n"));
}
