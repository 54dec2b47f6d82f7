/** The package as it is published, in a folder of its own, with and without the registry. */
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildDashboard } from "../../dashboard/build.ts";
import { buildDist } from "../../packaging/build.ts";
import { Child, type ChildOptions } from "../support/child.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

export const TSC: string = join(CHECKOUT, "node_modules/typescript/bin/tsc");

export type Manifest = {
  readonly version: string;
  readonly exports: Readonly<
    Record<string, string | { readonly types: string; readonly default: string }>
  >;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
};

/** Returns what the process printed, however it ended. */
export async function run(
  args: readonly string[],
  cwd: string,
  command: string = process.execPath,
): Promise<string> {
  const child = await ended({ command, args, cwd });
  return child.output();
}

/** As `run`. Rejects, with what the process printed, if it ends with another code than 0. */
export async function succeed(
  args: readonly string[],
  cwd: string,
  command: string = process.execPath,
): Promise<string> {
  const child = await ended({ command, args, cwd });
  const { exitCode, signalCode } = child.process;
  if (exitCode === 0) return child.output();
  const line = [command, ...args].join(" ");
  throw new Error(`${line} ended with ${signalCode ?? exitCode}\n${child.output()}`);
}

async function ended(options: ChildOptions): Promise<Child> {
  const child = new Child(options);
  await child.exited;
  return child;
}

export async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
}

/** Builds the package into `folder`, with all that is published beside it. Rejects if the compiler finds something wrong, which it prints. */
export async function buildPackage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await buildDashboard();
  const { files } = await manifestOf(CHECKOUT);
  const others = files.filter((name) => name !== "dist");
  for (const name of ["package.json", "README.md", "LICENSE", ...others]) {
    await cp(join(CHECKOUT, name), join(folder, name), { recursive: true });
  }
  await buildDist(join(folder, "dist"));
}

/** Packs a built package without building it again. Returns the tarball's path. */
export async function pack(folder: string, into: string): Promise<string> {
  const args = ["pack", "--ignore-scripts", "--silent", "--pack-destination", into];
  const printed = await succeed(args, folder, "npm");
  return join(into, printed.trim().split("\n").at(-1) ?? "");
}

/** Gives the program in `folder` the packages of this checkout, as if npm had installed them. */
export async function linkPackages(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(CHECKOUT, "node_modules", name), link);
  }
}

/** Writes a project of TypeScript, for the modules that are named. */
export async function writeProject(
  folder: string,
  files: Readonly<Record<string, string>>,
  compilerOptions: Readonly<Record<string, unknown>>,
): Promise<void> {
  const base = { target: "es2024", lib: ["es2024", "esnext.disposable"], strict: true };
  const options = { ...base, types: ["node"], outDir: "out", ...compilerOptions };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const config = { compilerOptions: options, files: Object.keys(files) };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}
