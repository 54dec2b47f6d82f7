/**
 * What npm runs behind `npm ci`: builds the dashboard where its tools are there. An installation without the tools of development has none, and
 * needs no new bundle. It is JavaScript because the Node of who installs may know no TypeScript; the build itself runs by the Node of the project.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const { platform } = process;
const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));
const node = `${modules}node/bin/${platform === "win32" ? "node.exe" : "node"}`;

if (existsSync(`${modules}esbuild`) && existsSync(node)) {
  const build = fileURLToPath(new URL("build.ts", import.meta.url));
  const { status } = spawnSync(node, [build], { stdio: ["ignore", "inherit", "inherit"] });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write("the dashboard is not built: its tools are not installed\n");
}
