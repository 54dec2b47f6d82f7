/**
 * Bundles the page of the simulator: the page itself, the worker with the simulator and the actors, and such a worker with each of a few planted
 * mistakes. Where they import Node's modules, the bundle has `site/simulator/node/`.
 */
import { readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { DIRECTED } from "../../test/sim/directed.ts";
import { MUTANTS } from "../../test/sim/mutants/all.ts";
import { mutate, type Mutant } from "../../test/sim/mutants/mutant.ts";
import { SIM_PLACEMENTS } from "../../test/sim/plan.ts";

const FOLDER: string = fileURLToPath(new URL(".", import.meta.url));
const CHECKOUT: string = fileURLToPath(new URL("../..", import.meta.url));

/** Mistakes that seeds without a plan of their own find soon, each by another invariant. */
const PLANTED: readonly string[] = ["quorum-off-by-one", "stale-log-wins", "read-before-own-write"];

/** Browsers of 2024 and later, as for the dashboard. */
const BROWSERS = ["chrome123", "firefox124", "safari17.5"];

/** Writes into the folder: `page.js`, `page.css`, `worker.js`, and a worker for each mistake. */
export async function buildSimulator(output: string): Promise<void> {
  const planted = PLANTED.map(mutantOf);
  const { version } = JSON.parse(await readFile(join(CHECKOUT, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const mistakes = planted.map(({ name, mistake }) => ({ name, mistake }));
  const choices = { mistakes, plans: Object.keys(DIRECTED), placements: SIM_PLACEMENTS };
  const workers = [undefined, ...planted].map((mutant) => workerOptions(output, version, mutant));
  await Promise.all([
    build({
      ...common(),
      entryPoints: { page: join(FOLDER, "page/main.tsx") },
      outdir: output,
      jsx: "automatic",
      jsxImportSource: "preact",
      tsconfig: join(FOLDER, "page/tsconfig.json"),
      define: { CHOICES: JSON.stringify(choices) },
    }),
    ...workers.map((options) => build(options)),
  ]);
}

function mutantOf(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`);
  return mutant;
}

function common(): BuildOptions {
  return {
    absWorkingDir: CHECKOUT,
    bundle: true,
    minify: true,
    format: "esm",
    target: BROWSERS,
    legalComments: "none",
    logLevel: "warning",
  };
}

function workerOptions(output: string, version: string, mutant: Mutant | undefined): BuildOptions {
  const node = (name: string): string => join(FOLDER, "node", name);
  const name = mutant === undefined ? "worker" : `worker-${mutant.name}`;
  return {
    ...common(),
    entryPoints: { [name]: join(FOLDER, "worker/worker.ts") },
    outdir: output,
    alias: {
      "node:crypto": node("crypto.ts"),
      "node:fs": node("absent.ts"),
      "node:net": node("absent.ts"),
      "node:path": node("absent.ts"),
      "node:zlib": node("zlib.ts"),
    },
    inject: [node("buffer.ts")],
    define: { ZOOID_VERSION: JSON.stringify(version) },
    plugins: mutant === undefined ? [] : [planting(mutant)],
  };
}

/** Gives the bundle the mutant's sources. The build fails if one of its files is none of the bundle's. */
function planting(mutant: Mutant): Plugin {
  return {
    name: mutant.name,
    setup: (bundle) => {
      const waiting = new Set(mutant.edits.map(({ file }) => file));
      bundle.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const file = relative(CHECKOUT, path).split(sep).join("/");
        if (!mutant.edits.some((edit) => edit.file === file)) return undefined;
        waiting.delete(file);
        return { loader: "ts", contents: mutate(mutant, file, await readFile(path, "utf8")) };
      });
      bundle.onEnd(() => {
        if (waiting.size === 0) return;
        throw new Error(`${mutant.name}: the simulator does not load ${[...waiting].join(", ")}`);
      });
    },
  };
}
