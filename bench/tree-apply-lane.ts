/** The thread of one tree lane under `tree-apply.ts`: the tree actor and nothing else. One pool, one thread, one lane. */
import { crc32 } from "node:zlib";
import { performance } from "node:perf_hooks";
import type { Read } from "../protocol/reads.ts";
import type { TreeDigest, TreeMessage, TreeReply } from "../actors/tree/messages.ts";
import { treeActor, type TreeState } from "../actors/tree/tree.ts";
import type { Actor, Context, Step } from "../runtime/actor.ts";
import { assert } from "../protocol/assert.ts";
import { BENCH_SERVER, znodePath } from "./records.ts";

type Lane = { readonly actor: Actor<TreeState, TreeMessage>; state: TreeState };

const context: Context = {
  nowMs: 0,
  wallMs: 0,
  random: () => 0,
  randomBytes: (length) => new Uint8Array(length),
};

let opened: Lane | undefined;

export function open({ lane }: { readonly lane: number }): void {
  const actor = treeActor({ server: BENCH_SERVER, lane, crc32 });
  opened = { actor, state: actor.start(context).state };
}

/** Applies the records. Milliseconds in the tree, without the way here. */
export function apply({ records }: { readonly records: readonly Uint8Array[] }): number {
  const startMs = performance.now();
  receive({ kind: "committed", records });
  return performance.now() - startMs;
}

export type ReadRequest = {
  readonly seconds: number;
  readonly readsPerMessage: number;
  readonly znodes: number;
};

/** Reads znodes one after the other for so long, as many a message as asked. Reads per second. */
export function read({ seconds, readsPerMessage, znodes }: ReadRequest): number {
  const messages = readMessages(readsPerMessage, znodes);
  for (const message of messages) assertAnswered(receive(message));
  const startMs = performance.now();
  let reads = 0;
  let elapsedMs = 0;
  while (elapsedMs < seconds * 1000) {
    for (const message of messages) {
      receive(message);
      reads += readsPerMessage;
    }
    elapsedMs = performance.now() - startMs;
  }
  return (reads / elapsedMs) * 1000;
}

/** Of the whole replica: equal on all lanes that applied the same. */
export function digest(): string {
  for (const effect of receive({ kind: "digest", from: "bench", tag: 0 }).effects) {
    if (effect.kind === "tell") return (effect.message as TreeDigest).digest;
  }
  throw new Error("the tree gave no digest");
}

/** A read that finds nothing would be fast for nothing. */
function assertAnswered({ effects }: Step<TreeState>): void {
  const [effect] = effects;
  assert(effect?.kind === "tell", "a read is answered");
  const reply = effect.message as TreeReply;
  assert(reply.kind === "readDone", "a read is answered with its results");
  assert(
    reply.results.every(({ kind }) => kind === "data"),
    "every znode that is read is there",
  );
}

function receive(message: TreeMessage): Step<TreeState> {
  assert(opened !== undefined, "a lane is opened before it is used");
  const step = opened.actor.receive(opened.state, message, context);
  opened.state = step.state;
  return step;
}

/** About 1,024 reads, cut into messages. */
function readMessages(readsPerMessage: number, znodes: number): TreeMessage[] {
  const messages: TreeMessage[] = [];
  let number = 0;
  for (let count = 0; count < 1024; count += readsPerMessage) {
    const reads: Read[] = [];
    for (let index = 0; index < readsPerMessage; index += 1) {
      reads.push({ kind: "getData", path: znodePath(number % znodes), watch: false });
      number += 1;
    }
    const answerBytesMax = Number.POSITIVE_INFINITY;
    messages.push({ kind: "read", from: "bench", client: 1, reads, answerBytesMax });
  }
  return messages;
}
