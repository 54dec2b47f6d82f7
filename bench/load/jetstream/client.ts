/**
 * Translates the steps of a load into requests to a key-value bucket of JetStream. Keys of NATS have dots where paths have slashes. It
 * offers neither transactions over several keys nor lists that cost no consumer.
 */
import { Buffer } from "node:buffer";
import { type KV, Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { CallWindow } from "../call-window.ts";
import type { LoadClient } from "../client.ts";
import type { Layout } from "../layout.ts";
import type { Pacing } from "../pacing.ts";
import type { Address } from "../plan.ts";
import type { Recorder } from "../recorder.ts";
import { type Cycle, isRead, type Needs, POOL_ZNODES, type Step } from "../work.ts";

/** Made by whoever starts the servers, with as many replicas as there are servers. */
export const BUCKET = "zooid-bench";

type Request = (kv: KV, cycle: number) => Promise<unknown>;

export class JetStreamClient implements LoadClient {
  readonly #address: Address;
  readonly #layout: Layout;
  readonly #window: CallWindow;
  #connection: NatsConnection | undefined;
  #kv: KV | undefined;
  #lost: Error | undefined;
  onLost: (() => void) | undefined;

  constructor(
    address: Address,
    {
      layout,
      recorder,
      outstanding,
    }: { readonly layout: Layout; readonly recorder: Recorder; readonly outstanding: number },
  ) {
    this.#address = address;
    this.#layout = layout;
    this.#window = new CallWindow(recorder, outstanding);
  }

  get lost(): Error | undefined {
    return this.#lost;
  }

  get sent(): number {
    return this.#window.sent;
  }

  get underWay(): number {
    return this.#window.underWay;
  }

  async open(): Promise<void> {
    const { host, port } = this.#address;
    const connection = await connect({ servers: `${host}:${port}`, reconnect: false });
    connection.closed().then(
      (error) => {
        if (!(error instanceof Error)) return;
        this.#lost = error;
        this.onLost?.();
      },
      () => undefined,
    );
    this.#connection = connection;
    this.#kv = await new Kvm(connection).open(BUCKET, { allow_direct: true });
  }

  async makeShared(needs: Needs, valueBytes: number): Promise<void> {
    const kv = this.#kv;
    if (kv === undefined) throw new Error("the bucket is not open");
    const value = Buffer.alloc(valueBytes, "z");
    const paths = needs.hot ? [this.#layout.hot] : [];
    for (let number = 0; needs.pool && number < POOL_ZNODES; number += 1) {
      paths.push(this.#layout.poolZnode(number));
    }
    await Promise.all(paths.map((path) => kv.put(keyOf(path), value)));
  }

  async makeOwn(valueBytes: number): Promise<void> {
    await this.#kv?.put(keyOf(this.#layout.own), Buffer.alloc(valueBytes, "z"));
  }

  repeat(cycle: Cycle, pacing: Pacing | undefined): Promise<void> {
    const requests = cycle.map((step) => requestOf(step, this.#layout));
    return this.#window.run(
      (number, done) => {
        const request = requests[number % requests.length];
        const kv = this.#kv;
        if (request === undefined || kv === undefined) return done("no request");
        void settle(request(kv, Math.floor(number / requests.length)), done);
      },
      {
        isRead: (number) => {
          const step = cycle[number % cycle.length];
          return step !== undefined && isRead(step);
        },
        pacing,
      },
    );
  }

  tick(): void {
    this.#window.tick();
  }

  overdue(nowMs: number): number {
    return this.#window.overdue(nowMs);
  }

  stop(): void {
    this.#window.stop();
  }

  async cleanUp(): Promise<void> {
    await this.#kv?.purge(keyOf(this.#layout.own));
  }

  async cleanUpShared(): Promise<void> {
    // The bucket goes with the servers that the bench has started.
  }

  close(): void {
    void this.#connection?.close();
  }
}

async function settle(answer: Promise<unknown>, done: (error: string | 0) => void): Promise<void> {
  let failure: string | 0 = 0;
  try {
    await answer;
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  done(failure);
}

/** Returns the key for a path: `/a/b` is `a.b`. */
export function keyOf(path: string): string {
  return path.slice(1).replaceAll("/", ".");
}

function requestOf(step: Step, layout: Layout): Request {
  switch (step.kind) {
    case "get": {
      const key = keyOf(layout.place(step.place));
      return (kv) => kv.get(key);
    }
    case "set": {
      const key = keyOf(layout.place(step.place));
      const value = Buffer.alloc(step.valueBytes, "v");
      return (kv) => kv.put(key, value);
    }
    case "create": {
      const value = Buffer.alloc(step.valueBytes, "v");
      return (kv, cycle) => kv.create(keyOf(layout.createdIn(cycle, step.branch)), value);
    }
    case "delete":
      return (kv, cycle) => kv.delete(keyOf(layout.createdIn(cycle, step.branch)));
    case "list":
    case "multi":
      return () => Promise.reject(new Error(`JetStream offers no ${step.kind}`));
  }
}
