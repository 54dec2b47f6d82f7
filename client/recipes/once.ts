/**
 * Work that runs once, whoever asks for it: its result is kept and given to the others. The znode's data is the state, and `turns.ts` says who
 * runs. A runner that dies leaves the turn, and the next one runs with a larger fence.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  BadArgumentsError,
  ConditionFailedError,
  InvalidValueError,
  NoNodeError,
} from "../../protocol/errors.ts";
import type { Reading } from "../calls.ts";
import type { Client } from "../client.ts";
import type { Condition } from "../conditions.ts";
import { type Codec, decoded, json, Key } from "../values.ts";
import type { CallOptions } from "../wire.ts";
import { checkWait } from "./arguments.ts";
import { Claim } from "./claim.ts";
import { ClaimLostError } from "./errors.ts";
import { committedWith, turnTaken } from "./turns.ts";
import { Wait, type WaitOptions } from "./wait.ts";

const FORMAT = 1;

/** How long a caller waits for work that runs once, and what becomes of its result. */
export type OnceOptions<Result = unknown> = WaitOptions & {
  /**
   * How many milliseconds the result is kept at least; after that the work runs again when somebody asks. Apache ZooKeeper needs
   * `zookeeper.extendedTypesEnabled` for it. Default: for ever.
   */
  readonly keepResultMs?: number | undefined;
  /** What a result is that others have stored. Default: it is not checked. */
  readonly schema?: StandardSchemaV1<Result, Result> | undefined;
};

/** What the work is told. */
export type Run = {
  /** Aborts before anybody else can run the same; the result of this run is refused then. */
  readonly signal: AbortSignal;
  /** Larger than that of every earlier run. */
  readonly fence: bigint;
  /** For transactions of the work: nothing of them is done unless this run still counts. */
  readonly isHeld: Condition;
};

/**
 * What is to run once, or at a time of a schedule. What it returns is stored as JSON, for `once` and `oncePer`; what it throws is not
 * stored.
 */
export type Work<Result> = (run: Run) => Promise<Result> | Result;

type State = {
  readonly format: typeof FORMAT;
  /** The latest that was begun, if there are several, one after the other. */
  readonly tick: number;
  readonly isDone: boolean;
  readonly result?: unknown;
};

const FRESH: State = { format: FORMAT, tick: -Infinity, isDone: false };

/** Runs the work unless its result is there already; waits while somebody else runs it. */
export async function once<Result>(
  client: Client,
  path: string,
  work: Work<Result>,
  options: OnceOptions<Result> = {},
): Promise<Result> {
  const outcome = await oncePer(client, { path, tick: 0 }, work, options);
  if (outcome.kind === "done") return outcome.result;
  throw new BadArgumentsError(`${path} is used with ticks, too`);
}

/** What `oncePer` resolves with. `ranHere`: this call has run the work; false: another one has, and the result is what it stored. */
export type OnceOutcome<Result> =
  | { readonly kind: "done"; readonly result: Result; readonly ranHere: boolean }
  /** A later tick was begun already, so this one is left out. */
  | { readonly kind: "overtaken" };

/**
 * Runs the work once for each tick, a number that grows, such as the time for which it is planned. At most one runs at a time, of
 * whatever tick. Only the latest result is kept.
 */
export async function oncePer<Result>(
  client: Client,
  { path, tick }: { readonly path: string; readonly tick: number },
  work: Work<Result>,
  options: OnceOptions<Result> = {},
): Promise<OnceOutcome<Result>> {
  checkWait(path, options);
  const { keepResultMs, schema } = options;
  if (!Number.isSafeInteger(tick)) throw new BadArgumentsError("a tick is a whole number");
  using wait = new Wait(client, path, options);
  const found = async (): Promise<OnceOutcome<Result> | Claim> => {
    try {
      return await outcomeOrTurn(client, { path, tick, keepResultMs, schema }, wait);
    } catch (error) {
      throw wait.failure(error);
    }
  };
  const outcome = await found();
  if (!(outcome instanceof Claim)) return outcome;
  const { signal } = options;
  const result = await ran(client, outcome, { path, tick, work }, { signal });
  return { kind: "done", result, ranHere: true };
}

/** Waits until there is a result, or until the turn to run is this client's. */
async function outcomeOrTurn<Result>(
  client: Client,
  {
    path,
    tick,
    keepResultMs,
    schema,
  }: { readonly path: string; readonly tick: number } & Pick<
    OnceOptions<Result>,
    "keepResultMs" | "schema"
  >,
  wait: Wait,
): Promise<OnceOutcome<Result> | Claim> {
  const { signal } = wait;
  for (;;) {
    const reading = await readOrMade(client, path, { keepResultMs, signal });
    const state = stateOf(path, reading.data);
    if (state.tick > tick) return { kind: "overtaken" };
    if (state.tick === tick && state.isDone) {
      const result = await checkedResult(path, state.result, schema);
      return { kind: "done", result, ranHere: false };
    }
    const data = dataOf({ format: FORMAT, tick, isDone: false });
    const turn = await turnTaken(client, { path, data, reading }, { signal });
    if (turn !== undefined) return new Claim(client, turn.path, turn.stat);
    if (reading.stat.numChildren > 0) {
      await wait.untilChange({ path, recursive: true, after: reading.zxid }, () => true);
    }
  }
}

/** Runs, and stores the result unless the turn is lost. */
async function ran<Result>(
  client: Client,
  claim: Claim,
  {
    path,
    tick,
    work,
  }: { readonly path: string; readonly tick: number; readonly work: Work<Result> },
  calls: CallOptions,
): Promise<Result> {
  await using held = claim;
  const { signal, fence, isHeld } = held;
  const result = await work({ signal, fence, isHeld });
  const data = dataOf({ format: FORMAT, tick, isDone: true, result });
  const transaction = client.transaction((make) => [make.set(path, data), make.delete(held.path)]);
  try {
    await committedWith(client, held, transaction, calls);
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    const because = signal.reason instanceof ClaimLostError ? signal.reason.because : "deleted";
    throw new ClaimLostError(path, because, { cause: error });
  }
  return result;
}

async function readOrMade(
  client: Client,
  path: string,
  { keepResultMs, ...calls }: CallOptions & { readonly keepResultMs?: number | undefined },
): Promise<Reading<Uint8Array | null>> {
  for (;;) {
    try {
      return await client.get(path, calls);
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    const kept = keepResultMs === undefined ? {} : { ttlMs: keepResultMs };
    await client.create(path, null, { ...calls, ...kept, parents: true, ifNotExists: true });
  }
}

function dataOf(state: State): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(state));
}

function stateOf(path: string, data: Uint8Array | null): State {
  if (data === null || data.length === 0) return FRESH;
  const invalid = (message: string): InvalidValueError =>
    new InvalidValueError(path, "stored", [{ message, path: [] }]);
  let state: unknown;
  try {
    state = json.decode(data);
  } catch {
    throw invalid("no JSON");
  }
  const { format, tick } = (state ?? {}) as Partial<State>;
  if (format !== FORMAT || typeof tick !== "number") throw invalid("not the state of `once`");
  return state as State;
}

/** Results go through the same checks as all values. */
async function checkedResult<Result>(
  path: string,
  result: unknown,
  schema: StandardSchemaV1<Result, Result> | undefined,
): Promise<Result> {
  const codec: Codec<unknown> = { name: "result", encode: () => null, decode: () => result };
  return (await decoded(new Key(path, codec, schema), null)) as Result;
}
