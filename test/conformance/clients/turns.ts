/**
 * Curator, kazoo and zooid's client take turns: at a lock, a read/write lock, a semaphore and an election. Whoever has its turn counts: it
 * reads a number, waits a little, and writes the next. If ever two hold one right at a time, a count is lost.
 */
import type { Claim, Client, Condition } from "../../../client/connect.ts";
import type { Child } from "../../support/child.ts";

export const TURNS = 6;

/** What is counted under which right, and by how many. */
const COUNTS: readonly (readonly [name: string, clients: number])[] = [
  ["locked", 3],
  ["led", 3],
  ["written", 2],
  ["leased", 2],
  ["kazoo-locked", 2],
  ["kazoo-written", 2],
  ["kazoo-led", 2],
];

/** Returns what was counted, and what is to be. */
export async function takeTurns(
  client: Client,
  start: readonly (() => Child)[],
): Promise<{ readonly seen: Record<string, number>; readonly due: Record<string, number> }> {
  await client.create("/turns");
  for (const [name] of COUNTS) await client.create(`/turns/${name}`, "0");
  const children = start.map((begin) => begin());
  try {
    await ownTurns(client);
    await Promise.all(children.map((child) => child.exited));
    for (const child of children) {
      if (child.process.exitCode !== 0) throw new Error(child.output());
    }
    const seen: Record<string, number> = {};
    for (const [name] of COUNTS) seen[name] = await numberAt(client, `/turns/${name}`);
    const due = Object.fromEntries(COUNTS.map(([name, clients]) => [name, clients * TURNS]));
    return { seen, due };
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

/** They begin when both programs are there, so that all contend. */
async function ownTurns(client: Client): Promise<void> {
  for (const path of ["/turns/locked", "/turns/kazoo-locked"]) {
    while ((await numberAt(client, path)) === 0) await client.sync();
  }
  const kazoo = { layout: "kazoo" } as const;
  for (let turn = 0; turn < TURNS; turn += 1) {
    await counted(client, "locked", client.lock("/turns/lock"));
    await counted(client, "kazoo-locked", client.lock("/turns/kazoo-lock", kazoo));
    await counted(client, "written", client.readWriteLock("/turns/rw").write());
    await counted(client, "kazoo-written", client.readWriteLock("/turns/kazoo-rw").write(kazoo));
    const semaphore = client.semaphore("/turns/semaphore", { permits: 1 });
    await counted(client, "leased", semaphore.acquire());
    for await (const term of client.election("/turns/election", { layout: "selector" }).terms()) {
      await increment(client, "led", term.isHeld);
      break;
    }
    for await (const term of client.election("/turns/kazoo-election", kazoo).terms()) {
      await increment(client, "kazoo-led", term.isHeld);
      break;
    }
  }
}

async function counted(client: Client, name: string, asked: Promise<Claim>): Promise<void> {
  await using claim = await asked;
  await increment(client, name, claim.isHeld);
}

async function increment(client: Client, name: string, isHeld: Condition): Promise<void> {
  const path = `/turns/${name}`;
  const before = await numberAt(client, path);
  await client.sync();
  await client
    .transaction((t) => [t.set(path, String(before + 1))])
    .if(isHeld)
    .commit();
}

async function numberAt(client: Client, path: string): Promise<number> {
  const { data } = await client.get(path);
  return Number(new TextDecoder().decode(data ?? undefined));
}
