/**
 * `npm run ops:check [-- prometheus container]`: what is in `ops/`, used by what it is for. It takes minutes, and needs packages that are too large
 * for `npm test`, or the registry.
 */
import { checkContainer } from "./container.ts";
import { checkPrometheus } from "./prometheus.ts";

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  prometheus: checkPrometheus,
  container: checkContainer,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  throw new Error(`there is no part ${unknown.join(", ")}: ${Object.keys(PARTS).join(", ")}`);
}
for (const [name, part] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stdout.write(`── ${name}\n`);
  await part();
}
