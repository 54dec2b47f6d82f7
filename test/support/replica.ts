/** A tree actor driven by plain calls: makes the records, keeps the zxids, sorts what the actor tells. */
import { crc32 } from "node:zlib";
import type {
  TreeMessage,
  TreeReply,
  TreeMemory,
  SessionChanges,
  TreeMetrics,
} from "../../actors/tree/messages.ts";
import { treeActor, type TreeOptions, type TreeState } from "../../actors/tree/tree.ts";
import { OPEN_ACL, type Acl } from "../../protocol/acl.ts";
import { encodeBarrier } from "../../protocol/barrier.ts";
import { type Configuration, encodeConfiguration } from "../../protocol/configuration.ts";
import { encodeBatch } from "../../protocol/batch.ts";
import type { Who } from "../../protocol/identities.ts";
import type { ServerId, SessionId, Submitter } from "../../protocol/ids.ts";
import type {
  ClientOperation,
  Operation,
  OperationResult,
  ZnodeOperation,
} from "../../protocol/operations.ts";
import type { Read, ReadResult } from "../../protocol/reads.ts";
import { encodeRecord } from "../../protocol/record.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Effect } from "../../runtime/effects.ts";
import { DrivenActor } from "../../runtime/testing/driven.ts";
import type { TreeEffect } from "../../actors/tree/state.ts";
import { digestOf } from "./tree-digest.ts";
import type { GatewayName } from "../../actors/gateway/messages.ts";

export const PASSWORD: Uint8Array = new Uint8Array(16).fill(5);
const SERVER = 1 as ServerId;
const START_MS = 1_700_000_000_000;

export type Told = { readonly to: string; readonly message: TreeReply | OwnResults };
type OwnResults = {
  readonly kind: "applied";
  readonly incarnation: number;
  readonly seq: number;
  readonly firstZxid: Zxid;
  readonly results: readonly OperationResult[];
};

export class Replica {
  readonly #tree: DrivenActor<TreeState, TreeMessage, TreeEffect>;
  readonly submitter: Submitter = { server: SERVER, lane: 0, incarnation: 1 };
  lastZxid = 0 as Zxid;
  lastSeq = 0;
  timeMs: number = START_MS;
  /** What the leader says that makes the records. */
  quotasEnforced = false;

  constructor(
    options: Partial<
      Pick<
        TreeOptions,
        | "ringBytesMax"
        | "snapshotChunkBytes"
        | "watchesPerConnectionMax"
        | "skips"
        | "limits"
        | "removals"
        | "servers"
      >
    > = {},
  ) {
    this.#tree = new DrivenActor(treeActor({ server: SERVER, lane: 0, crc32, ...options }));
  }

  /** What the tree reported last. */
  get memory(): TreeMemory {
    return this.#tree.state.memory;
  }

  get configuration(): Configuration | undefined {
    return this.#tree.state.configuration;
  }

  receive(message: TreeMessage): readonly Effect[] {
    return this.#tree.receive(message);
  }

  /** The next record of this submitter; its time is a millisecond later than the one before. */
  record(operations: readonly Operation[], change: RecordChange = {}): Uint8Array {
    this.timeMs += 1;
    this.lastSeq = change.seq ?? this.lastSeq + 1;
    const firstZxid = change.firstZxid ?? ((this.lastZxid + 1) as Zxid);
    const prevZxid = change.prevZxid ?? this.lastZxid;
    this.lastZxid = (firstZxid + operations.length - 1) as Zxid;
    return encodeRecord(
      {
        kind: "batch",
        firstZxid,
        lastZxid: this.lastZxid,
        prevZxid,
        timeMs: this.timeMs,
        quotasEnforced: this.quotasEnforced,
        submitter: "submitter" in change ? change.submitter : this.submitter,
        seq: this.lastSeq,
      },
      encodeBatch(operations),
      crc32,
    );
  }

  /** A record without operations: the first of an epoch, or a change of configuration. */
  name(kind: "barrier" | "configuration", configuration: Configuration): readonly Effect[] {
    const prevZxid = this.lastZxid;
    this.lastZxid = (prevZxid + 1) as Zxid;
    const [firstZxid, lastZxid] = [this.lastZxid, this.lastZxid];
    const zxids = { firstZxid, lastZxid, prevZxid };
    const record = encodeRecord(
      { kind, ...zxids, timeMs: this.timeMs, submitter: undefined, seq: 0 },
      kind === "barrier" ? encodeBarrier(configuration) : encodeConfiguration(configuration),
      crc32,
    );
    return this.receive({ kind: "committed", records: [record] });
  }

  commit(...operations: readonly Operation[]): readonly Effect[] {
    return this.receive({ kind: "committed", records: [this.record(operations)] });
  }

  results(...operations: readonly Operation[]): readonly OperationResult[] {
    return appliedOf(this.commit(...operations))[0]?.results ?? [];
  }

  /** A new session; its id is also the zxid it is attached at. */
  session(timeoutMs = 10_000): SessionId {
    this.commit({ kind: "createSession", timeoutMs, password: PASSWORD });
    return this.lastZxid as number as SessionId;
  }

  /** The result of one operation of a session that was attached only once. */
  do(session: SessionId, operation: ClientOperation): OperationResult {
    const [result] = this.results(client(session, operation));
    if (result === undefined) throw new Error("an own batch was not answered");
    return result;
  }

  read(...reads: readonly Read[]): readonly ReadResult[] {
    return this.readAs("zookeeper/9", 1, ...reads).results.filter(
      (result) => result.kind !== "growth",
    );
  }

  /** Whether the operation, done now, would make the tree larger. */
  grows(operation: ClientOperation): boolean {
    const reads = [{ kind: "growth", operation }] as const;
    const told = toldOf(
      this.receive({ kind: "read", from: "zookeeper/0", client: 1, reads, answerBytesMax: 1 }),
    );
    return told.some(
      ({ message }) =>
        message.kind === "readDone" &&
        message.results.some((result) => result.kind === "growth" && result.grows),
    );
  }

  readAs(from: GatewayName, client: number, ...reads: readonly Read[]): ReadDone {
    const answerBytesMax = Number.POSITIVE_INFINITY;
    const told = toldOf(this.receive({ kind: "read", from, client, reads, answerBytesMax }));
    const done = told.map(({ message }) => message).find((message) => message.kind === "readDone");
    if (done === undefined) throw new Error("a read was not answered");
    return done;
  }

  /** As it is answered to who has proved this. */
  readBy(who: Who, read: Read): ReadResult {
    const asked = { from: "zookeeper/9", client: 1, who, reads: [read] } as const;
    const told = toldOf(this.receive({ kind: "read", ...asked, answerBytesMax: 1 }));
    const done = told.map(({ message }) => message).find((message) => message.kind === "readDone");
    return one((done?.results ?? []).filter((result) => result.kind !== "growth"));
  }

  data(path: string): ReadResult {
    return one(this.read({ kind: "getData", path, watch: false }));
  }

  children(path: string): readonly string[] {
    const result = one(this.read({ kind: "getChildren", path, watch: false }));
    return result.kind === "children" ? result.children.toSorted() : [];
  }

  metrics(): TreeMetrics {
    const [metrics] = emittedOf(this.receive({ kind: "reportMetrics" }), "metrics");
    return metrics as TreeMetrics;
  }

  get state(): TreeState {
    return this.#tree.state;
  }

  digest(): string {
    return digestOf(this.#tree.state);
  }
}

type ReadDone = Extract<TreeReply, { kind: "readDone" }>;

export type RecordChange = {
  readonly submitter?: Submitter | undefined;
  readonly seq?: number;
  readonly firstZxid?: Zxid;
  readonly prevZxid?: Zxid;
};

function one<Value>(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new Error("one value was expected");
  return value;
}

export function toldOf(effects: readonly Effect[]): readonly Told[] {
  return effects.flatMap((effect) =>
    effect.kind === "tell" ? [{ to: effect.to, message: effect.message } as Told] : [],
  );
}

export function appliedOf(effects: readonly Effect[]): readonly OwnResults[] {
  return toldOf(effects).flatMap(({ message }) => (message.kind === "applied" ? [message] : []));
}

export function emittedOf(effects: readonly Effect[], topic: string): readonly object[] {
  return effects.flatMap((effect) =>
    effect.kind === "emit" && effect.topic === topic ? [effect.value] : [],
  );
}

export function sessionsOf(effects: readonly Effect[]): readonly SessionChanges[] {
  return emittedOf(effects, "sessions") as readonly SessionChanges[];
}

export function client(
  session: SessionId,
  operation: ClientOperation,
  attachedAt: Zxid = session as number as Zxid,
): Extract<Operation, { readonly kind: "client" }> {
  return { kind: "client", session, attachedAt, operation };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function create(path: string, options: CreateOptions = {}): Of<"create"> {
  const { data = bytes("x"), acl = OPEN_ACL, ephemeral = false, sequential = false } = options;
  return { kind: "create", path, data, acl, mode: { ephemeral, sequential } };
}

type CreateOptions = {
  readonly data?: Uint8Array | null;
  readonly acl?: readonly Acl[];
  readonly ephemeral?: boolean;
  readonly sequential?: boolean;
};
type Of<Kind extends ZnodeOperation["kind"]> = Extract<ZnodeOperation, { kind: Kind }>;

export function remove(path: string, version = -1): Of<"delete"> {
  return { kind: "delete", path, version };
}

export function setData(path: string, data: Uint8Array | null, version = -1): Of<"setData"> {
  return { kind: "setData", path, data, version };
}

export function check(path: string, version = -1): Of<"check"> {
  return { kind: "check", path, version };
}

export function multi(...operations: readonly ZnodeOperation[]): ClientOperation {
  return { kind: "multi", operations };
}
