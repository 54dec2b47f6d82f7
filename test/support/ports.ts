/**
 * Ports for server processes that cannot be given port 0. A block of ports is held by listening on a name in Linux's abstract
 * socket namespace, so test runs that go on at the same time never take the same block, and a run that dies frees its own.
 * Blocks lie below the range from which the kernel takes ports for outgoing connections.
 */
import { createServer, type Server } from "node:net";

const FIRST_PORT = 12_000;
const BLOCK_PORTS = 10;
const BLOCKS = 2_000;

export type PortBlock = {
  /** Ten ports in a row, `first` to `first + 9`. */
  readonly first: number;
  readonly release: () => void;
};

export async function reservePorts(): Promise<PortBlock> {
  const start = process.pid % BLOCKS;
  for (let tried = 0; tried < BLOCKS; tried += 1) {
    const block = (start + tried * 7) % BLOCKS;
    const first = FIRST_PORT + block * BLOCK_PORTS;
    const holder = await tryListen(`\0zooid-test-ports-${first}`);
    if (holder === undefined) continue;
    if (await allFree(first)) {
      holder.unref();
      return { first, release: () => void holder.close() };
    }
    holder.close();
  }
  throw new Error("no free block of ports");
}

async function allFree(first: number): Promise<boolean> {
  for (let port = first; port < first + BLOCK_PORTS; port += 1) {
    const server = await tryListen(port);
    if (server === undefined) return false;
    await new Promise((resolve) => server.close(resolve));
  }
  return true;
}

function tryListen(where: string | number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.once("listening", () => resolve(server));
    if (typeof where === "string") server.listen(where);
    else server.listen(where, "127.0.0.1");
  });
}
