/** Translates the steps of a load into ZooKeeper's requests. */
import { Buffer } from "node:buffer";
import type { LoadClient } from "../client.ts";
import type { Layout } from "../layout.ts";
import type { Pacing } from "../pacing.ts";
import { type Cycle, isRead, POOL_ZNODES, type Step } from "../work.ts";
import type { LoadConnection, RequestFrame } from "./connection.ts";
import {
  CODE_NODE_EXISTS,
  CODE_OK,
  createFrame,
  deleteFrame,
  getChildrenFrame,
  getDataFrame,
  multiFrame,
  setDataFrame,
  WireError,
} from "./wire.ts";

const NO_BYTES = Buffer.alloc(0);

export class ZooKeeperClient implements LoadClient {
  readonly #connection: LoadConnection;
  readonly #layout: Layout;

  constructor(connection: LoadConnection, layout: Layout) {
    this.#connection = connection;
    this.#layout = layout;
  }

  get lost(): Error | undefined {
    return this.#connection.lost;
  }

  get sent(): number {
    return this.#connection.sent;
  }

  get underWay(): number {
    return this.#connection.underWay;
  }

  get onLost(): (() => void) | undefined {
    return this.#connection.onLost;
  }

  set onLost(callback: (() => void) | undefined) {
    this.#connection.onLost = callback;
  }

  open(): Promise<void> {
    return this.#connection.open();
  }

  async makeShared(valueBytes: number): Promise<void> {
    const { root, hot, pool, churn } = this.#layout;
    const value = Buffer.alloc(valueBytes, "z");
    for (const path of [root, pool, churn]) await this.#create(path, NO_BYTES);
    await this.#create(hot, value);
    for (let number = 0; number < POOL_ZNODES; number += 1) {
      await this.#create(this.#layout.poolZnode(number), value);
    }
  }

  makeOwn(valueBytes: number): Promise<void> {
    return this.#create(this.#layout.own, Buffer.alloc(valueBytes, "z"));
  }

  repeat(cycle: Cycle, pacing: Pacing | undefined): Promise<void> {
    const frames = cycle.map((step) => frameOf(step, this.#layout));
    return this.#connection.run({ frames, count: Number.MAX_SAFE_INTEGER, pacing });
  }

  tick(): void {
    this.#connection.tick();
  }

  overdue(nowMs: number): number {
    return this.#connection.overdue(nowMs);
  }

  stop(): void {
    this.#connection.stop();
  }

  async cleanUp(cycle: Cycle): Promise<void> {
    const cycles = Math.ceil(this.#connection.sent / cycle.length);
    const frames = cycle.flatMap((step) => deletesOf(step, this.#layout));
    if (frames.length > 0) await this.#connection.run({ frames, count: cycles * frames.length });
    if (this.lost === undefined) await this.#connection.request(deleteFrame(this.#layout.own));
  }

  async cleanUpShared(): Promise<void> {
    const { root, hot, pool, churn } = this.#layout;
    for (let number = 0; number < POOL_ZNODES; number += 1) {
      await this.#connection.request(deleteFrame(this.#layout.poolZnode(number)));
    }
    for (const path of [hot, pool, churn, root]) await this.#connection.request(deleteFrame(path));
  }

  close(): void {
    this.#connection.close();
  }

  async #create(path: string, value: Uint8Array): Promise<void> {
    const error = await this.#connection.request(createFrame(path, value));
    if (error !== CODE_OK && error !== CODE_NODE_EXISTS) {
      throw new WireError(`cannot create ${path}: error ${error}`);
    }
  }
}

function frameOf(step: Step, layout: Layout): RequestFrame {
  switch (step.kind) {
    case "get":
      return plain(step, getDataFrame(layout.place(step.place)));
    case "list":
      return plain(step, getChildrenFrame(layout.pool));
    case "set":
      return plain(step, setDataFrame(layout.place(step.place), valueOf(step.valueBytes)));
    case "create": {
      const path = layout.created(step.branch);
      return numbered(createFrame(path, valueOf(step.valueBytes)), [path]);
    }
    case "delete": {
      const path = layout.created(step.branch);
      return numbered(deleteFrame(path), [path]);
    }
    case "multi": {
      const data = valueOf(step.valueBytes);
      const creates = createdBy(step, layout);
      const setPath = step.creates === 0 ? layout.own : layout.hot;
      return numbered(
        multiFrame([
          ...Array.from({ length: step.sets }, () => ({
            ...{ kind: "set" as const, path: setPath, data },
          })),
          ...creates.map((path) => ({ kind: "create" as const, path, data })),
        ]),
        creates,
      );
    }
  }
}

function createdBy(step: Step, layout: Layout): readonly string[] {
  if (step.kind === "create") return [layout.created(step.branch)];
  if (step.kind !== "multi") return [];
  return Array.from({ length: step.creates }, (_, index) => layout.created(step.branch, index));
}

function deletesOf(step: Step, layout: Layout): RequestFrame[] {
  return createdBy(step, layout).map((path) => numbered(deleteFrame(path), [path]));
}

function plain(step: Step, bytes: Buffer): RequestFrame {
  return { bytes, sequenceEnds: [], isRead: isRead(step) };
}

/** Finds the numbers at the ends of the paths, each of which occurs once in the frame. */
function numbered(bytes: Buffer, paths: readonly string[]): RequestFrame {
  const sequenceEnds = paths.map((path) => bytes.indexOf(path) + path.length);
  return { bytes, sequenceEnds, isRead: false };
}

function valueOf(valueBytes: number): Buffer {
  return Buffer.alloc(valueBytes, "v");
}
