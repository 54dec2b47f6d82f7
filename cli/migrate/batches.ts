/** How steps go to the target: as transactions of bounded size, in the order in which they were given. */
import { OPEN_ACL } from "../../protocol/acl.ts";
import { childOf } from "../../protocol/paths.ts";
import type { Step } from "./difference.ts";

/** Above it a leader's other clients would wait for one transaction. */
const BATCH_STEPS_MAX = 512;
/** A quarter of what ZooKeeper takes in one request by default. */
const BATCH_BYTES_MAX: number = 256 * 1024;
/** The numbers of a step beside its path, data and list. */
const STEP_BYTES = 64;
const ENTRY_BYTES = 16;
/** Children that are made and deleted again, or sets of data, in one transaction. */
const RAISES_MAX = 1_000;

type SetAcl = Extract<Step, { readonly kind: "setAcl" }>;
export type TransactionStep = Exclude<Step, SetAcl>;

export type Batch =
  | { readonly kind: "transaction"; readonly steps: readonly TransactionStep[] }
  | SetAcl;

export function batchesOf(steps: readonly Step[]): readonly Batch[] {
  const batches: Batch[] = [];
  let open: TransactionStep[] = [];
  let bytes = 0;
  const close = (): void => {
    if (open.length > 0) batches.push({ kind: "transaction", steps: open });
    open = [];
    bytes = 0;
  };
  for (const step of steps) {
    if (step.kind === "setAcl") {
      close();
      batches.push(step);
      continue;
    }
    const more = bytesOf(step);
    if (open.length >= BATCH_STEPS_MAX || bytes + more > BATCH_BYTES_MAX) close();
    open.push(step);
    bytes += more;
  }
  close();
  return batches;
}

/** About how many bytes a step takes in a request. */
export function bytesOf(step: Step): number {
  const data = step.kind === "create" || step.kind === "setData" ? (step.data?.length ?? 0) : 0;
  const acl = step.kind === "create" || step.kind === "setAcl" ? step.acl : [];
  let bytes = STEP_BYTES + Buffer.byteLength(step.path) + data;
  for (const { scheme, id } of acl) bytes += ENTRY_BYTES + scheme.length + Buffer.byteLength(id);
  return bytes;
}

/**
 * What raises a sequence counter by so many: a child is made and deleted again as often. `name` is that of no other child. The steps of each
 * transaction leave nothing behind.
 */
export function* raisesOf(
  parent: string,
  by: number,
  name: string,
): Generator<readonly TransactionStep[], void, undefined> {
  const path = childOf(parent, name);
  const mode = { ephemeral: false, sequential: false } as const;
  const pair: readonly TransactionStep[] = [
    { kind: "create", path, data: null, acl: OPEN_ACL, mode },
    { kind: "delete", path, version: -1 },
  ];
  const most = raisesIn(2 * bytesOf(pair[0] as Step));
  for (let left = by; left > 0; left -= most) {
    yield Array.from({ length: Math.min(left, most) }, () => pair).flat();
  }
}

/** What raises a znode's version by so many: its data is set as often, the last time in each transaction to what it is. */
export function* setsOf(
  path: string,
  data: Uint8Array | null,
  by: number,
): Generator<readonly TransactionStep[], void, undefined> {
  const empty: TransactionStep = { kind: "setData", path, data: null, version: -1 };
  const last: TransactionStep = { kind: "setData", path, data, version: -1 };
  const most = raisesIn(bytesOf(empty));
  for (let left = by; left > 0; left -= most) {
    const sets = Math.min(left, most);
    yield [...Array.from({ length: sets - 1 }, () => empty), last];
  }
}

function raisesIn(bytes: number): number {
  return Math.max(1, Math.min(RAISES_MAX, Math.floor(BATCH_BYTES_MAX / bytes)));
}
