/** `npm run build`: all that the package runs, in `dist/` and `dashboard/dist/`. npm runs it before it packs. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDashboard } from "../dashboard/build.ts";
import { bundleClient } from "./client-bundle.ts";

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
const TSC = join(CHECKOUT, "node_modules/typescript/bin/tsc");

/** Compiles into `dist`, which is emptied first. Throws with what the compiler, or esbuild, finds wrong. */
export async function buildDist(dist: string): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  const args = [TSC, "-p", join(CHECKOUT, "tsconfig.build.json"), "--outDir", dist];
  execFileSync(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  await bundleClient(dist);
}

if (process.argv[1] === import.meta.filename) {
  await buildDist(join(CHECKOUT, "dist"));
  await buildDashboard();
}
