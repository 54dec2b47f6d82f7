/** All clients of a run: what they need is created first, then they start together. */
import type { Ensemble } from "./ensemble.ts";
import { Folders } from "./folders.ts";
import { BulkLoad, bulkData } from "./bulk-load.ts";
import { BULK, type History, LIVE, LOGS, REGISTERS } from "./history.ts";
import { NativeLoad } from "./native-load.ts";
import type { Random } from "./random.ts";
import { ZkLoad } from "./zk-load.ts";

export type LoadOptions = {
  readonly ensemble: Ensemble;
  readonly history: History;
  readonly random: Random;
  /** Over ZooKeeper's protocol. */
  readonly clients: number;
  readonly seconds: number;
};

/** Alternating, so that some sessions expire by faults and others live through every one. */
const SESSION_TIMEOUTS_MS = [8000, 20_000];
/** In the end the last sessions are waited for, which is not to take longer than all before it. */
const SHORT_RUN_SECONDS = 60;
const SHORT_RUN_TIMEOUTS_MS = [6000];
const THINK_MS = 25;
const CLIENTS_PER_FOLDER = 2;

export class Load {
  readonly native: NativeLoad;
  /** The longest that any client asks for. */
  readonly sessionTimeoutMs: number;
  readonly #clients: readonly (ZkLoad | BulkLoad)[];

  static async start(options: LoadOptions): Promise<Load> {
    const { ensemble, history, random, clients, seconds } = options;
    const isShort = seconds < SHORT_RUN_SECONDS;
    const timeoutsMs = isShort ? SHORT_RUN_TIMEOUTS_MS : SESSION_TIMEOUTS_MS;
    const nativeFolders = new Folders(`${LOGS}-native`);
    const shared = Array.from(
      { length: Math.ceil(clients / CLIENTS_PER_FOLDER) },
      (_, index) => new Folders(`${LOGS}-${index}`),
    );
    const native = await NativeLoad.open({
      name: "native",
      urls: ensemble.nats.urls,
      history,
      random: random.fork(),
      folders: nativeFolders,
      thinkMs: THINK_MS,
      timeoutMs: timeoutsMs[0] ?? 0,
    });
    await prepare(native, history, [nativeFolders, ...shared]);
    const zk = Array.from({ length: clients }, (_, index) => {
      return new ZkLoad({
        name: `client-${index + 1}`,
        nodes: ensemble.indexes.length,
        home: index % ensemble.indexes.length,
        timeoutMs: timeoutsMs[index % timeoutsMs.length] ?? 0,
        address: (node) => ensemble.address(node),
        history,
        truth: native.truth,
        random: random.fork(),
        folders: shared[Math.floor(index / CLIENTS_PER_FOLDER)] ?? nativeFolders,
        thinkMs: THINK_MS,
      });
    });
    const bulk = new BulkLoad({
      name: "bulk",
      nodes: ensemble.indexes.length,
      home: 0,
      timeoutMs: Math.max(...timeoutsMs),
      address: (node) => ensemble.address(node),
      history,
    });
    for (const client of [native, ...zk, bulk]) client.start();
    return new Load(native, [...zk, bulk], Math.max(...timeoutsMs));
  }

  private constructor(
    native: NativeLoad,
    clients: readonly (ZkLoad | BulkLoad)[],
    sessionTimeoutMs: number,
  ) {
    this.native = native;
    this.#clients = clients;
    this.sessionTimeoutMs = sessionTimeoutMs;
  }

  /** No more requests; sessions and the stream go on. */
  idle(): void {
    for (const client of [this.native, ...this.#clients]) client.idle();
  }

  async close(): Promise<void> {
    await Promise.all([this.native, ...this.#clients].map((client) => client.close()));
  }

  /** Without waiting for anybody: the servers are about to go. */
  abandon(): void {
    this.close().catch(() => undefined);
  }
}

async function prepare(
  { client }: NativeLoad,
  history: History,
  folders: readonly Folders[],
): Promise<void> {
  for (const path of [LIVE, ...folders.map(({ first }) => first)]) await client.create(path);
  for (const path of REGISTERS) {
    const token = `${path} at first`;
    const { stat } = await client.create(path, token);
    history.registers.created(path, token, BigInt(stat.mzxid));
  }
  const token = `${BULK} at first`;
  const { stat } = await client.create(BULK, bulkData(token));
  history.registers.created(BULK, token, BigInt(stat.mzxid));
}
