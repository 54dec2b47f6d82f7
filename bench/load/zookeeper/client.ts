/** Translates the steps of a load into ZooKeeper's requests. */
import { Buffer } from "node:buffer";
import type { LoadClient } from "../client.ts";
import type { Layout } from "../layout.ts";
import type { Pacing } from "../pacing.ts";
import { type Cycle, isRead, type Needs, POOL_ZNODES, type Step } from "../work.ts";
import type { LoadConnection, RequestFrame } from "./connection.ts";
import {
  createFrame,
  deleteFrame,
  getChildrenFrame,
  getDataFrame,
  multiFrame,
  setDataFrame,
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

  async makeShared(needs: Needs, valueBytes: number): Promise<void> {
    const { root, hot, pool, churn } = this.#layout;
    const value = Buffer.alloc(valueBytes, "z");
    const frames = [createFrame(root, NO_BYTES)];
    if (needs.hot) frames.push(createFrame(hot, value));
    if (needs.churn) frames.push(createFrame(churn, NO_BYTES));
    if (needs.pool) {
      frames.push(createFrame(pool, NO_BYTES));
      for (let number = 0; number < POOL_ZNODES; number += 1) {
        frames.push(createFrame(this.#layout.poolZnode(number), value));
      }
    }
    await this.#all(frames);
  }

  makeOwn(valueBytes: number): Promise<void> {
    return this.#all([createFrame(this.#layout.own, Buffer.alloc(valueBytes, "z"))]);
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
    if (this.lost === undefined) await this.#all([deleteFrame(this.#layout.own)]);
  }

  async cleanUpShared(): Promise<void> {
    const { root, hot, pool, churn } = this.#layout;
    const znodes = Array.from({ length: POOL_ZNODES }, (_, number) => {
      return this.#layout.poolZnode(number);
    });
    await this.#all([...znodes, hot, pool, churn, root].map(deleteFrame));
  }

  close(): void {
    this.#connection.close();
  }

  /** Sends each request once. Errors are counted by the recorder. */
  async #all(requests: readonly Buffer[]): Promise<void> {
    const frames = requests.map((bytes) => ({ bytes, sequenceEnds: [], isRead: false }));
    await this.#connection.run({ frames, count: frames.length });
    if (this.#connection.lost !== undefined) throw this.#connection.lost;
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
