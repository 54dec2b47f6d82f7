/**
 * What the requests of one connection write: they are answered in their order, so each answer is that of the request which waits longest.
 * Source: ZooKeeper's ClientCnxn, whose queue of pending packets this is.
 */
import { JuteReader } from "../../../protocol/jute.ts";
import type { Lifetime } from "../../../protocol/lifetime.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import { parentOf } from "../../../protocol/paths.ts";
import { readMultiEntries, readReplyHeader } from "../../../protocol/zookeeper/client-replies.ts";
import { Xid } from "../../../protocol/zookeeper/codes.ts";
import { readRequest } from "../../../protocol/zookeeper/requests.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

export type Created = {
  readonly path: string;
  readonly czxid: Zxid;
  readonly lifetime: Lifetime | "none";
};

/** Which znodes a request has changed, or may have. */
export type Written = { readonly paths: readonly string[]; readonly created: readonly Created[] };

type Waiting = { readonly operation: ClientOperation | undefined };

export class Requests {
  readonly #reader = new JuteReader();
  #waiting: Waiting[] = [];
  #answered = 0;

  /** How many have no answer. */
  get underWay(): number {
    return this.#waiting.length - this.#answered;
  }

  asked(frame: Buffer): void {
    const request = readRequest(this.#reader.reset(frame));
    this.#waiting.push({ operation: request.kind === "write" ? request.operation : undefined });
  }

  /** Returns what was written; undefined if the frame is no answer, but the event of a watch. */
  replied(frame: Buffer): Written | undefined {
    const reader = this.#reader.reset(frame);
    const { xid, zxid, code } = readReplyHeader(reader);
    if (xid === Xid.watchEvent) return undefined;
    const operation = this.#next()?.operation;
    if (operation === undefined || code !== 0) return NOTHING;
    return writtenBy(operation, reader, zxid);
  }

  /** What may have been written by those that will have no answer. */
  left(): readonly string[] {
    const left = this.#waiting.slice(this.#answered);
    this.#waiting = [];
    this.#answered = 0;
    return left.flatMap(({ operation }) => (operation === undefined ? [] : pathsOf(operation)));
  }

  /** The answered ones are dropped many at a time, since that moves all the others. */
  #next(): Waiting | undefined {
    const next = this.#waiting[this.#answered];
    if (next === undefined) return undefined;
    this.#answered += 1;
    if (this.#answered === this.#waiting.length || this.#answered > 1_024) {
      this.#waiting = this.#waiting.slice(this.#answered);
      this.#answered = 0;
    }
    return next;
  }
}

const NOTHING: Written = { paths: [], created: [] };

function writtenBy(operation: ClientOperation, reader: JuteReader, zxid: Zxid): Written {
  if (operation.kind === "multi") {
    const entries = readMultiEntries(reader);
    const made = operation.operations.map((each, index) => {
      const entry = entries[index];
      return oneWritten(each, entry?.kind === "created" ? entry.path : undefined, zxid);
    });
    return {
      paths: made.flatMap(({ paths }) => paths),
      created: made.flatMap(({ created }) => created),
    };
  }
  const path = operation.kind === "create" ? (reader.string() ?? undefined) : undefined;
  return oneWritten(operation, path, zxid);
}

function oneWritten(
  operation: ClientOperation | ZnodeOperation,
  made: string | undefined,
  zxid: Zxid,
): Written {
  if (operation.kind !== "create") return { paths: pathsOf(operation), created: [] };
  if (made === undefined) return { paths: pathsOf(operation), created: [] };
  const { ephemeral, lifetime = "none" } = operation.mode;
  return {
    paths: withParent(made),
    created: ephemeral ? [] : [{ path: made, czxid: zxid, lifetime }],
  };
}

/** The znodes that an operation is about, with the parents whose children it changes. */
function pathsOf(operation: ClientOperation | ZnodeOperation): readonly string[] {
  switch (operation.kind) {
    case "multi":
      return operation.operations.flatMap(pathsOf);
    case "create":
      // The name of a sequential one is not known before it is answered.
      return operation.mode.sequential ? [parentOf(operation.path)] : withParent(operation.path);
    case "setData":
    case "setAcl":
      return [operation.path];
    default:
      return "path" in operation && operation.path !== "" ? withParent(operation.path) : [];
  }
}

function withParent(path: string): readonly string[] {
  return path === "/" || !path.startsWith("/") ? [] : [path, parentOf(path)];
}
