/** Writes to the target: many transactions under way, in order, and which of their znodes have to be looked at again. */
import {
  BadVersionError,
  type Client,
  ConnectionLossError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  OperationTimeoutError,
  ThrottledError,
} from "../../client/connect.ts";
import { Code } from "../../protocol/codes.ts";
import { errorOfCode } from "../../protocol/errors.ts";
import type { MemberResult } from "../../protocol/native-packing.ts";
import { parentOf } from "../../protocol/paths.ts";
import { type Batch, batchesOf, raisesOf, setsOf, type TransactionStep } from "./batches.ts";
import type { Step } from "./difference.ts";

/** Transactions under way: a session's are done in order, so that a znode comes after its parent. */
const UNDER_WAY_MAX = 8;

/** After them the target may be as it was, or another has been there first: whoever looks again sees what is still to be done. */
const TO_LOOK_AGAIN: readonly (abstract new (...args: never[]) => Error)[] = [
  ...[BadVersionError, NodeExistsError, NoNodeError, NotEmptyError],
  ...[ConnectionLossError, OperationTimeoutError, ThrottledError],
];

export class Writer {
  readonly #client: Client;
  readonly #signal: AbortSignal;
  /** Steps that were done. */
  done = 0;

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** Returns the paths that were not written, or may not have been, with the parents that may be missing. Rejects over anything else. */
  async write(steps: readonly Step[]): Promise<ReadonlySet<string>> {
    const again = new Set<string>();
    await this.#inOrder(batchesOf(steps), (batch, error) => {
      for (const { path } of batch.kind === "setAcl" ? [batch] : batch.steps) {
        again.add(path);
        if (error instanceof NoNodeError && path !== "/") again.add(parentOf(path));
      }
    });
    return again;
  }

  /** Raises the sequence counter of a znode by so many. Returns whether all of it was done. */
  raiseCounter(parent: string, by: number, name: string): Promise<boolean> {
    return this.#raise(raisesOf(parent, by, name));
  }

  /** Raises the version of a znode that has this data by so many. Returns whether all of it was done. */
  raiseVersion(path: string, data: Uint8Array | null, by: number): Promise<boolean> {
    return this.#raise(setsOf(path, data, by));
  }

  async #raise(transactions: Iterable<readonly TransactionStep[]>): Promise<boolean> {
    let isWhole = true;
    await this.#inOrder(transactionsOf(transactions), () => {
      isWhole = false;
    });
    return isWhole;
  }

  async #inOrder(
    batches: Iterable<Batch>,
    failed: (batch: Batch, error: Error) => void,
  ): Promise<void> {
    const underWay: Promise<void>[] = [];
    for (const batch of batches) {
      this.#signal.throwIfAborted();
      const writing = this.#one(batch, failed);
      // It is waited for below, behind those that were asked before it.
      writing.catch(() => undefined);
      underWay.push(writing);
      if (underWay.length >= UNDER_WAY_MAX) await underWay.shift();
    }
    await Promise.all(underWay);
  }

  async #one(batch: Batch, failed: (batch: Batch, error: Error) => void): Promise<void> {
    const signal = this.#signal;
    try {
      if (batch.kind === "setAcl") {
        await this.#client.setAcl(batch.path, batch.acl, { signal });
        this.done += 1;
        return;
      }
      const [{ path } = { path: "/" }] = batch.steps;
      const { result } = await this.#client.multi(batch.steps, path, { signal });
      if (result.kind === "multi" && result.failed) throw refusalOf(result.results, batch.steps);
      this.done += batch.steps.length;
    } catch (error) {
      if (!TO_LOOK_AGAIN.some((each) => error instanceof each)) throw error;
      failed(batch, error as Error);
    }
  }
}

function* transactionsOf(
  all: Iterable<readonly TransactionStep[]>,
): Generator<Batch, void, undefined> {
  for (const steps of all) yield { kind: "transaction", steps };
}

/** The first result that is not ok says why none of the steps was done. */
function refusalOf(results: readonly MemberResult[], steps: readonly TransactionStep[]): Error {
  const at = results.findIndex((each) => each.kind === "error" && each.code !== Code.ok);
  const refused = results[at];
  const code = refused?.kind === "error" ? refused.code : Code.runtimeInconsistency;
  return errorOfCode(code, steps[at]?.path ?? "/");
}
