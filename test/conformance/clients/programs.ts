/** Foreign programs that do their work in sections, and whose server is killed when they ask for it. */
import type { Child } from "../../support/child.ts";
import type { ZooidProcesses } from "../../support/zooid-processes.ts";

export type Servers = {
  readonly connectString: string;
  /** `kill -9` of the server whose client port this is. Resolves when it is dead. */
  readonly kill: (port: number) => Promise<void>;
  readonly restart: (port: number) => Promise<void>;
};

export function zooidServers(nodes: ZooidProcesses): Servers {
  const idOf = (port: number): number => nodes.ids.find((id) => nodes.portOf(id) === port) ?? 0;
  return {
    connectString: nodes.connectString,
    kill: (port) => nodes.kill(idOf(port)),
    restart: (port) => nodes.startNode(idOf(port)),
  };
}

export type Sections = ReadonlyMap<string, readonly string[]>;

const KILL = /^kill (\d+)$/;

/**
 * Runs a program to its end, kills servers as it asks for it, and starts them again afterwards. Throws what the program printed if
 * its exit code is not 0.
 */
export async function runProgram(child: Child, servers: Servers): Promise<Sections> {
  const killed: number[] = [];
  try {
    for (let asked = await nextKill(child, 0); asked !== undefined; ) {
      const port = Number(KILL.exec(child.lines[asked] ?? "")?.[1]);
      await servers.kill(port);
      killed.push(port);
      child.write("killed\n");
      asked = await nextKill(child, asked + 1);
    }
    await child.exited;
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    for (const port of killed) await servers.restart(port);
  }
  if (child.process.exitCode !== 0) {
    throw new Error(`ended with ${child.process.exitCode}\n${child.output()}`);
  }
  return sectionsOf(child.lines);
}

/** The place of the next line that asks for a kill. Undefined: the program has ended without one. */
async function nextKill(child: Child, after: number): Promise<number | undefined> {
  await Promise.race([child.exited, child.line(KILL, after).catch(() => undefined)]);
  const at = child.lines.findIndex((line, index) => index >= after && KILL.test(line));
  return at < 0 ? undefined : at;
}

function sectionsOf(lines: readonly string[]): Sections {
  const sections = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of lines) {
    if (line.startsWith("== ")) {
      current = [];
      sections.set(line.slice(3), current);
    } else if (!KILL.test(line)) {
      current?.push(line);
    }
  }
  return sections;
}
