/** A gRPC channel to one etcd server. Messages go through as the bytes that they are. */
import type { Buffer } from "node:buffer";
import { Client, type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import type { Address } from "../plan.ts";

const READY_TIMEOUT_MS = 10_000;

export type Method =
  | "KV/Put"
  | "KV/Range"
  | "KV/Txn"
  | "KV/DeleteRange"
  | "Lease/LeaseGrant"
  | "Lease/LeaseRevoke"
  | "Maintenance/Status";

const asItIs = (bytes: Buffer): Buffer => bytes;

export class EtcdChannel {
  readonly #client: Client;

  constructor({ host, port }: Address) {
    // Without an own pool, all clients of a process would share one connection.
    this.#client = new Client(`${host}:${port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + READY_TIMEOUT_MS, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  call(method: Method, request: Buffer, done: (error: string | 0, response: Buffer) => void): void {
    const answer = (error: ServiceError | null, response?: Buffer): void => {
      done(error === null ? 0 : error.details, response ?? request);
    };
    this.#client.makeUnaryRequest(`/etcdserverpb.${method}`, asItIs, asItIs, request, answer);
  }

  /** Rejects with the server's message if it answers with an error. */
  ask(method: Method, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.call(method, request, (error, response) => {
        if (error === 0) resolve(response);
        else reject(new Error(`etcd ${method}: ${error}`));
      });
    });
  }

  watch(): ClientDuplexStream<Buffer, Buffer> {
    return this.#client.makeBidiStreamRequest("/etcdserverpb.Watch/Watch", asItIs, asItIs);
  }

  close(): void {
    this.#client.close();
  }
}
