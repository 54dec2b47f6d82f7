/** The package as it is published, in a folder of its own, with and without the registry. */
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Child } from "../support/child.ts";
import { CHECKOUT } from "../support/zooid.ts";

export const TSC: string = join(CHECKOUT, "node_modules/typescript/bin/tsc");

export type Manifest = {
  readonly exports: Readonly<
    Record<string, string | { readonly types: string; readonly default: string }>
  >;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
};

/** Returns what the process printed. */
export async function run(
  args: readonly string[],
  cwd: string,
  command: string = process.execPath,
): Promise<string> {
  const child = new Child({ command, args, cwd, waitMsMax: 600_000 });
  await child.exited;
  return child.output();
}

export async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
}

/** Builds the package into `folder`, with all that is published beside it. Returns what the compiler said. */
export async function buildPackage(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const { files } = await manifestOf(CHECKOUT);
  const others = files.filter((name) => name !== "dist");
  for (const name of ["package.json", "README.md", "LICENSE", ...others]) {
    await cp(join(CHECKOUT, name), join(folder, name), { recursive: true });
  }
  const config = join(CHECKOUT, "tsconfig.build.json");
  return run([TSC, "-p", config, "--outDir", join(folder, "dist")], CHECKOUT);
}

/** Packs a built package without building it again. Returns the tarball's path. */
export async function pack(folder: string, into: string): Promise<string> {
  const args = ["pack", "--ignore-scripts", "--silent", "--pack-destination", into];
  const printed = await run(args, folder, "npm");
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
