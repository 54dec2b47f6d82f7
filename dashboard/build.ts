/**
 * `npm run dashboard:build`: makes the bundle of the dashboard, `dashboard/dist/`, which the admin server serves. `npm ci` runs it by
 * `prepare.js`, and whoever packs zooid does.
 */
import { copyFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const OUT = `${FOLDER}dist`;
const FILES = ["index.html", "dashboard.js", "dashboard.css"];

const PACKAGE = /node_modules\/((?:@[^/]+\/)?[^/]+)/;

/** Browsers of 2024 and later: two years back. */
const BROWSERS = ["chrome123", "firefox124", "safari17.5"];

/**
 * Each file takes its place at once, so that two who build at the same time, and a node that reads meanwhile, see whole files. Returns the names
 * of the packages that the bundle holds, sorted.
 */
export async function buildDashboard(): Promise<readonly string[]> {
  await mkdir(OUT, { recursive: true });
  const made = await mkdtemp(`${OUT}/.new-`);
  try {
    const { metafile } = await build({
      metafile: true,
      entryPoints: { dashboard: `${FOLDER}src/main.tsx` },
      outdir: made,
      bundle: true,
      minify: true,
      format: "esm",
      target: BROWSERS,
      jsx: "automatic",
      jsxImportSource: "preact",
      tsconfig: `${FOLDER}tsconfig.json`,
      // The texts of the licences are in THIRD-PARTY-LICENCES.md.
      legalComments: "none",
      logLevel: "warning",
    });
    await copyFile(`${FOLDER}src/index.html`, `${made}/index.html`);
    for (const name of FILES) await rename(`${made}/${name}`, `${OUT}/${name}`);
    const names = Object.keys(metafile.inputs).map((input) => PACKAGE.exec(input)?.[1]);
    return [...new Set(names.filter((name) => name !== undefined))].sort();
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) await buildDashboard();
