/**
 * `npm run ops:check [-- prometheus container]`: what is in `ops/`, used by what it is for. It takes minutes, and needs packages that are too large
 * for `npm test`, or the registry. The exit code is 1 when something does not hold, 2 when a part is asked for that there is not.
 */
import { check } from "./check.ts";
import { checkContainer } from "./container.ts";
import { checkPrometheus } from "./prometheus.ts";
import { tidily } from "./tidily.ts";

const PARTS: Readonly<Record<string, (stack: AsyncDisposableStack) => Promise<void>>> = {
  prometheus: checkPrometheus,
  container: checkContainer,
};

async function main(wanted: readonly string[]): Promise<void> {
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stdout.write(`── ${name}\n`);
    try {
      await tidily(part);
    } catch (error) {
      check(false, `${name}: ${(error as Error).message}`);
    }
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  const parts = Object.keys(PARTS).join(", ");
  process.stderr.write(`there is no part ${unknown.join(", ")}; there are ${parts}\n`);
  process.exitCode = 2;
} else {
  await main(wanted);
}
