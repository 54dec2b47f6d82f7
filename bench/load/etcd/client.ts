/**
 * Translates the steps of a load into etcd's requests. A `create` is a transaction that puts the key if it does not exist; a `get` is
 * serializable, as a read of ZooKeeper is.
 */
import { Buffer } from "node:buffer";
import { CallWindow } from "../call-window.ts";
import type { LoadClient } from "../client.ts";
import type { Layout } from "../layout.ts";
import type { Pacing } from "../pacing.ts";
import type { Address } from "../plan.ts";
import type { Recorder } from "../recorder.ts";
import { type Cycle, isRead, type Needs, POOL_ZNODES, type Step } from "../work.ts";
import { EtcdChannel, type Method } from "./channel.ts";
import {
  deleteRequest,
  prefixEnd,
  putRequest,
  rangeRequest,
  txnRequest,
  txnSucceeded,
} from "./messages.ts";

type Request = {
  readonly method: Method;
  readonly bytes: (cycle: number) => Buffer;
  readonly isRead: boolean;
};

export class EtcdClient implements LoadClient {
  readonly #channel: EtcdChannel;
  readonly #layout: Layout;
  readonly #window: CallWindow;
  onLost: (() => void) | undefined;
  /** A channel of gRPC connects again by itself, so a loss shows as errors of calls. */
  readonly lost: Error | undefined = undefined;

  constructor(
    address: Address,
    {
      layout,
      recorder,
      outstanding,
    }: { readonly layout: Layout; readonly recorder: Recorder; readonly outstanding: number },
  ) {
    this.#channel = new EtcdChannel(address);
    this.#layout = layout;
    this.#window = new CallWindow(recorder, outstanding);
  }

  get sent(): number {
    return this.#window.sent;
  }

  get underWay(): number {
    return this.#window.underWay;
  }

  open(): Promise<void> {
    return this.#channel.open();
  }

  async makeShared(needs: Needs, valueBytes: number): Promise<void> {
    const value = Buffer.alloc(valueBytes, "z");
    const keys = needs.hot ? [this.#layout.hot] : [];
    for (let number = 0; needs.pool && number < POOL_ZNODES; number += 1) {
      keys.push(this.#layout.poolZnode(number));
    }
    await Promise.all(keys.map((key) => this.#channel.ask("KV/Put", putRequest(key, value))));
  }

  async makeOwn(valueBytes: number): Promise<void> {
    const value = Buffer.alloc(valueBytes, "z");
    await this.#channel.ask("KV/Put", putRequest(this.#layout.own, value));
  }

  repeat(cycle: Cycle, pacing: Pacing | undefined): Promise<void> {
    const requests = cycle.map((step) => requestOf(step, this.#layout));
    const at = (number: number): Request | undefined => requests[number % requests.length];
    return this.#window.run(
      (number, done) => {
        const request = at(number);
        if (request === undefined) return done("no request");
        const bytes = request.bytes(Math.floor(number / requests.length));
        this.#channel.call(request.method, bytes, (error, response) => {
          const failed = error === 0 && request.method === "KV/Txn" && !txnSucceeded(response);
          done(failed ? "the key exists" : error);
        });
      },
      { isRead: (number) => at(number)?.isRead ?? false, pacing },
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
    await this.#channel.ask("KV/DeleteRange", deleteRequest(this.#layout.own));
  }

  async cleanUpShared(): Promise<void> {
    const { root } = this.#layout;
    await this.#channel.ask("KV/DeleteRange", deleteRequest(root, prefixEnd(root)));
  }

  close(): void {
    this.#channel.close();
  }
}

function requestOf(step: Step, layout: Layout): Request {
  const same = (method: Method, request: Buffer): Request => {
    return { method, bytes: () => request, isRead: isRead(step) };
  };
  switch (step.kind) {
    case "get":
      return same("KV/Range", rangeRequest(layout.place(step.place), { serializable: true }));
    case "list": {
      const rangeEnd = prefixEnd(`${layout.pool}/`);
      const options = { rangeEnd, serializable: true, keysOnly: true };
      return same("KV/Range", rangeRequest(`${layout.pool}/`, options));
    }
    case "set":
      return same("KV/Put", putRequest(layout.place(step.place), valueOf(step.valueBytes)));
    case "create": {
      const value = valueOf(step.valueBytes);
      const bytes = (cycle: number): Buffer => {
        const key = layout.createdIn(cycle, step.branch);
        return txnRequest([key], [putRequest(key, value)]);
      };
      return { method: "KV/Txn", bytes, isRead: false };
    }
    case "delete": {
      const bytes = (cycle: number): Buffer => deleteRequest(layout.createdIn(cycle, step.branch));
      return { method: "KV/DeleteRange", bytes, isRead: false };
    }
    case "multi":
      return multiOf(step, layout);
  }
}

/** A transaction of etcd may put a key only once, so each put of a multi has a key of its own. */
function multiOf(step: Step & { readonly kind: "multi" }, layout: Layout): Request {
  const value = valueOf(step.valueBytes);
  const sets = Array.from({ length: step.sets }, (_, index) => {
    return putRequest(`${layout.own}-${index}`, value);
  });
  const bytes = (cycle: number): Buffer => {
    const keys = Array.from({ length: step.creates }, (_, index) => {
      return layout.createdIn(cycle, step.branch, index);
    });
    return txnRequest(keys, [...sets, ...keys.map((key) => putRequest(key, value))]);
  };
  return { method: "KV/Txn", bytes, isRead: false };
}

function valueOf(valueBytes: number): Buffer {
  return Buffer.alloc(valueBytes, "v");
}
