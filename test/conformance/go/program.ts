/** The Go program, compiled with the client of Debian's package. */
import { globSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../../support/child.ts";

const CLIENT = "github.com/samuel/go-zookeeper/zk";
const SOURCES = `/usr/share/gocode/src/${CLIENT}`;

export type GoProgram = {
  /** The program, begun. */
  readonly start: (args: readonly string[]) => Child;
  readonly remove: () => Promise<void>;
};

export async function compileGo(): Promise<GoProgram> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-go-"));
  const library = join(folder, `${CLIENT}.o`);
  const program = join(folder, "client");
  const sources = globSync("*.go", { cwd: SOURCES }).filter((name) => !name.endsWith("_test.go"));
  const files = sources.map((name) => join(SOURCES, name));
  const client = fileURLToPath(new URL("client.go", import.meta.url));
  try {
    await mkdir(dirname(library), { recursive: true });
    await compile(["-c", `-fgo-pkgpath=${CLIENT}`, "-o", library, ...files]);
    await compile(["-I", folder, "-c", "-o", `${program}.o`, client]);
    await compile(["-static-libgo", "-o", program, `${program}.o`, library]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    start: (args) => new Child({ command: program, args, waitMsMax: 300_000 }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function compile(args: readonly string[]): Promise<void> {
  const compiler = new Child({ command: "gccgo-12", args });
  await compiler.exited;
  if (compiler.process.exitCode !== 0) throw new Error(compiler.output());
}
