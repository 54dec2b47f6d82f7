/**
 * The ZooKeeper gateway's actor called by hand: messages in, effects out, time set by the test. It can also play the tree and the
 * submitter, with results that are right in form only.
 */
import type { Context } from "../../runtime/turn.ts";
import { type State, zooKeeperGatewayActor } from "../../actors/gateway/zookeeper/gateway.ts";
import type { ZooKeeperGatewayMessage, ZooKeeperTimer } from "../../actors/gateway/messages.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";
import type { SubmitterMessage } from "../../actors/submitter/messages.ts";
import type {
  TreeMessage,
  TreeRead,
  TreeReadResult,
  TreeReply,
} from "../../actors/tree/messages.ts";
import type { SessionId } from "../../protocol/ids.ts";
import type { Operation, OperationResult } from "../../protocol/operations.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";
import type { Effect } from "../../runtime/effects.ts";
import { frame, JuteReader, JuteWriter } from "./jute.ts";
import { connectFrame, type ConnectOptions } from "./zookeeper-client/client.ts";
import type { Operation as ClientRequest } from "./zookeeper-client/operations.ts";
import { DrivenActor } from "../../runtime/testing/driven.ts";
import type { ZooKeeperGatewayEffect } from "../../actors/gateway/zookeeper/state.ts";

export type GatewayOptions = Parameters<typeof zooKeeperGatewayActor>[0];

export const STAT: Stat = {
  czxid: 1 as Zxid,
  mzxid: 1 as Zxid,
  ctime: 1_700_000_000_000,
  mtime: 1_700_000_000_000,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0,
  dataLength: 1,
  numChildren: 0,
  pzxid: 1 as Zxid,
};

/** A request's bytes as a client sends them. */
export function requestFrame(xid: number, request: ClientRequest): Buffer {
  const header = new JuteWriter()
    .int(request.xid ?? xid)
    .int(request.type)
    .bytes();
  return frame(Buffer.concat([header, request.body]));
}

export type ReplyHeader = { readonly xid: number; readonly zxid: number; readonly code: number };

/** Headers of all replies in the bytes, which must be whole frames. */
export function replyHeaders(bytes: Buffer): ReplyHeader[] {
  const headers: ReplyHeader[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
    const reader = new JuteReader(bytes.subarray(at + 4));
    headers.push({ xid: reader.int(), zxid: Number(reader.long()), code: reader.int() });
  }
  return headers;
}

export type Verdict = Extract<TreeReply, { readonly kind: "sessionChecked" }>["verdict"];

export class GatewayDriver {
  nowMs = 1_000;
  /** Every effect so far. */
  readonly effects: Effect[] = [];
  /** Told to the tree and to the submitter, and not yet answered by `serve`. */
  readonly told: { readonly to: string; readonly message: TreeMessage | SubmitterMessage }[] = [];
  nextZxid = 0x1_0000_0001;
  /** The tree's immediate answer to every check of a password; undefined: the check is left in `told`. */
  verdict: Verdict | undefined = "right";
  readonly #driven: DrivenActor<State, ZooKeeperGatewayMessage, ZooKeeperGatewayEffect>;

  constructor(options: Partial<GatewayOptions> = {}) {
    const timeouts = { minSessionTimeoutMs: 4_000, maxSessionTimeoutMs: 40_000 };
    const actor = zooKeeperGatewayActor({ lane: 1, ...timeouts, ...options });
    this.#driven = new DrivenActor(actor, this.#context());
    this.#take(this.#driven.started);
  }

  /** What the actor answers to one message. */
  tell(message: ZooKeeperGatewayMessage): readonly Effect[] {
    const effects = this.#driven.receive(message, this.#context());
    this.#take(effects);
    return effects;
  }

  /** What the actor does about a failure of its own. */
  recover(message: ZooKeeperGatewayMessage): readonly Effect[] {
    const effects = this.#driven.recover(message, new Error("made up"), this.#context());
    this.#take(effects);
    return effects;
  }

  leadership(
    role: "looking" | "following" | "leading",
    admission: WriteAdmission = "all",
  ): readonly Effect[] {
    return this.tell({ kind: "leadership", role, epoch: 1 as Epoch, leader: undefined, admission });
  }

  open(connection: number, remoteAddress = `10.0.0.1:${connection}`): readonly Effect[] {
    return this.tell({ kind: "opened", connection, remoteAddress });
  }

  bytes(connection: number, bytes: Uint8Array): readonly Effect[] {
    return this.tell({ kind: "bytes", connection, bytes });
  }

  timer(timer: ZooKeeperTimer): readonly Effect[] {
    return this.tell({ kind: "timer", timer });
  }

  endOfTurn(): readonly Effect[] {
    return this.tell({ kind: "endOfTurn" });
  }

  /** Opens a connection and its session. The reply to the handshake is taken out of what was written. */
  attach(connection: number, options: Partial<ConnectOptions> = {}): SessionId {
    this.open(connection);
    this.bytes(connection, connectFrame({ port: 0, ...options }));
    const session = this.nextZxid as SessionId;
    this.serve();
    this.written(connection);
    return session;
  }

  /** Answers all that was told to the tree and the submitter until nothing is left. */
  serve(results?: (operation: Operation, zxid: Zxid) => OperationResult | undefined): void {
    for (let next = this.told.shift(); next !== undefined; next = this.told.shift()) {
      const { message } = next;
      if (message.kind === "read") {
        const { client, reads } = message;
        const zxid = (this.nextZxid - 1) as Zxid;
        this.tell({ kind: "readDone", client, zxid, results: reads.map(readResult) });
      } else if (message.kind === "write") {
        const { client, operations, travelling = [] } = message;
        const first = this.nextZxid;
        const zxids = operations.map(() => this.nextZxid++ as Zxid);
        const answers = operations.map((operation, index) => {
          const zxid = zxids[index] as Zxid;
          return results?.(operation, zxid) ?? operationResult(operation, zxid);
        });
        for (const { after, reads } of travelling) {
          const zxid = (first + after - 1) as Zxid;
          this.tell({ kind: "readDone", client, zxid, results: reads.map(readResult) });
        }
        if (zxids.length > 0) this.tell({ kind: "written", client, zxids, results: answers });
      }
    }
  }

  /** Delivers the tree's verdict on the password of the connection's session. */
  checked(client: number, verdict: Verdict): void {
    const zxid = (this.nextZxid - 1) as Zxid;
    this.tell({ kind: "sessionChecked", client, zxid, verdict });
  }

  /** Bytes written to the connection since the last call. */
  written(connection: number): Buffer {
    const parts: Uint8Array[] = [];
    for (let index = 0; index < this.effects.length; index += 1) {
      const effect = this.effects[index];
      if (effect?.kind !== "write" || effect.connection !== connection) continue;
      parts.push(effect.bytes);
      this.effects.splice(index, 1);
      index -= 1;
    }
    return Buffer.concat(parts);
  }

  closed(connection: number): boolean {
    return this.effects.some(
      (effect) => effect.kind === "close" && effect.connection === connection,
    );
  }

  /** Reasons of all log lines so far. */
  logged(): string[] {
    return this.effects.flatMap((effect) =>
      effect.kind === "log" ? [`${effect.event} ${String(effect.detail["reason"])}`] : [],
    );
  }

  #take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.kind !== "tell") continue;
      if (effect.to === "tree/1" || effect.to === "submitter/1") {
        const message = effect.message as TreeMessage | SubmitterMessage;
        if (message.kind === "checkSession" && this.verdict !== undefined) {
          this.checked(message.client, this.verdict);
          continue;
        }
        this.told.push({ to: effect.to, message });
      }
    }
  }

  #context(): Context {
    return {
      nowMs: this.nowMs,
      wallMs: this.nowMs,
      random: () => 0.5,
      randomBytes: (length) => new Uint8Array(length).fill(7),
    };
  }
}

function readResult(read: TreeRead): TreeReadResult {
  switch (read.kind) {
    case "getData":
      return { kind: "data", data: Buffer.from(read.path), stat: STAT };
    case "getChildren":
      return { kind: "children", children: ["a", "b"], stat: STAT };
    case "getAcl":
      return { kind: "acl", acl: [], stat: STAT };
    case "addWatch":
    case "checkWatches":
    case "removeWatches":
    case "setWatches":
      return { kind: "done" };
    case "growth":
      return { kind: "growth", grows: false };
    default:
      return { kind: "stat", stat: STAT };
  }
}

function operationResult(operation: Operation, zxid: Zxid): OperationResult {
  switch (operation.kind) {
    case "createSession":
    case "attachSession": {
      const { timeoutMs, password } = operation;
      const session = operation.kind === "attachSession" ? operation.session : Number(zxid);
      return {
        kind: "session",
        session: session as SessionId,
        timeoutMs,
        password,
        attachedAt: zxid,
      };
    }
    case "expireSession":
    case "deleteContainer":
      return { kind: "done" };
    default:
      break;
  }
  const { operation: asked } = operation;
  switch (asked.kind) {
    case "create":
      return { kind: "created", path: asked.path, stat: STAT };
    case "setData":
    case "setAcl":
      return { kind: "stat", stat: STAT };
    case "multi":
      return {
        kind: "multi",
        failed: false,
        results: asked.operations.map(() => ({ kind: "done" })),
      };
    default:
      return { kind: "done" };
  }
}
