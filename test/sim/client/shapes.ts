/**
 * Requests of the shapes that real clients send: they were recorded through proxies (`test/conformance/shapes.json`), and each is drawn
 * here, with names, data and versions of the simulation. A few names at each depth, so that clients meet.
 */
import recordedShapes from "../../conformance/shapes.json" with { type: "json" };
import type { CountedShape } from "../../conformance/shapes/record.ts";
import { type Shape, shapeOf, shapeOfHandshake } from "../../conformance/shapes/shape.ts";
import type { Acl } from "../../../protocol/acl.ts";
import { CONTAINER, type Lifetime } from "../../../protocol/lifetime.ts";
import type { ClientOperation, CreateMode, ZnodeOperation } from "../../../protocol/operations.ts";
import type { WatcherType } from "../../../protocol/reads.ts";
import type { Random } from "../random.ts";
import { digestOf } from "./identities.ts";
import type { MemberRead, ReadKind, SimRequest } from "./wire.ts";

const LARGE_BYTES: number = 2 ** 20;

/** What is recorded and never drawn, and why. */
const LEFT_OUT: readonly { readonly is: (shape: Shape) => boolean; readonly why: string }[] = [
  {
    is: ({ op, scheme }) => op === "auth" && scheme !== "digest",
    why: "it ends the connection, which the scenarios of test/conformance/ show",
  },
  {
    is: ({ op }) => op === "sasl" || op === "reconfig" || op === "unreadable",
    why: "nothing of it reaches a tree",
  },
  {
    is: ({ bytes = 0 }) => (bytes ?? 0) >= LARGE_BYTES,
    why: "it would be on its way for longer than a seed lasts; test/integration/ has values as large as a packet",
  },
];

const recorded: readonly Shape[] = recordedShapes as unknown as readonly CountedShape[];
const WANTED: readonly Shape[] = recorded.filter((shape) => !LEFT_OUT.some(({ is }) => is(shape)));
const NUMBERS: ReadonlyMap<string, number> = new Map(
  [...new Set(WANTED.map(keyOf))].map((key, index) => [key, index]),
);

/** The same for shapes that mean the same to a server: a session's timeout is the simulation's, and lists of watches are empty or not. */
function keyOf(shape: Shape): string {
  const {
    count: _count,
    clients: _clients,
    timeoutMs: _timeoutMs,
    ...rest
  } = shape as CountedShape;
  if (rest.watches === undefined) return JSON.stringify(rest);
  return JSON.stringify({ ...rest, watches: rest.watches.map((length) => length > 0) });
}

export const RECORDED: readonly string[] = [...NUMBERS.keys()];

/** Which of the recorded shapes a run has drawn. */
export class ShapeCoverage {
  readonly #drawn = new Set<number>();

  /** By number. */
  get drawn(): readonly number[] {
    return [...this.#drawn];
  }

  /** A whole frame. */
  sent(frame: Uint8Array): void {
    this.#add(shapeOf(payloadOf(frame)));
  }

  connects(frame: Uint8Array): void {
    this.#add(shapeOfHandshake(payloadOf(frame)));
  }

  /** So many requests were unanswered at once, and are all answered. */
  burst(length: number): void {
    this.#add({ op: "burst", length });
  }

  #add(shape: Shape): void {
    const number = NUMBERS.get(keyOf(shape));
    if (number !== undefined) this.#drawn.add(number);
  }
}

const LENGTH_BYTES = 4;

function payloadOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset + LENGTH_BYTES, length - LENGTH_BYTES);
}

const DRAWN: readonly Shape[] = WANTED.filter(
  ({ op }) =>
    !["auth", "burst", "closeSession", "connect", "setWatches", "setWatches2"].includes(op),
);

export type ShapeSource = {
  readonly random: Random;
  /** Data of at most so many bytes, unlike any other as far as it is long enough. */
  readonly token: (bytesMax: number) => Uint8Array;
  /** A sequential znode of the client's own at this depth that nobody has asked to delete yet. */
  readonly consume: (depth: number) => string | undefined;
};

export function shapedRequest(source: ShapeSource): SimRequest {
  const shape = source.random.pick(DRAWN);
  const { op, depth = 0, members = [] } = shape;
  const path = pathAt(source.random, depth);
  switch (op) {
    case "getEphemerals":
    case "getAllChildrenNumber":
      return { kind: "wide", asked: { kind: op, path } };
    case "whoAmI":
      return { kind: "wide", asked: { kind: op } };
    case "exists":
    case "getData":
    case "getAcl":
    case "getChildren":
    case "getChildren2": {
      const watch = shape.watch === true;
      return { kind: "read", read: READS[op], path, watch };
    }
    case "multiRead": {
      const reads = members.map((member): MemberRead => {
        const read = member.op === "getData" ? "getData" : "getChildren";
        return { read, path: pathAt(source.random, member.depth ?? 0) };
      });
      return { kind: "multiRead", reads };
    }
    case "addWatch": {
      const mode = shape.mode === 1 ? "persistentRecursive" : "persistent";
      return { kind: "watcher", asked: { kind: op, path, mode } };
    }
    case "removeWatches":
    case "checkWatches": {
      const watcher = WATCHERS[shape.mode ?? 0] ?? "any";
      return { kind: "watcher", asked: { kind: op, path, watcher } };
    }
    case "multi": {
      // Members of real multis are about the same znodes.
      const paths = members.map((member) => pathAt(source.random, member.depth ?? 0));
      const same = new Map(members.map((member, index) => [member.depth, paths[index] ?? path]));
      const operations = members.map((member) => {
        return znodeOperation(source, member, same.get(member.depth) ?? path);
      });
      return { kind: "write", operation: { kind: "multi", operations } };
    }
    default:
      return { kind: "write", operation: writeOf(source, shape, path), withStat: op === "create2" };
  }
}

const READS = {
  exists: "exists",
  getData: "getData",
  getAcl: "getAcl",
  getChildren: "getNames",
  getChildren2: "getChildren",
} as const satisfies Readonly<Record<string, ReadKind>>;

const WATCHERS: readonly (WatcherType | undefined)[] = [
  undefined,
  "child",
  "data",
  "any",
  "persistent",
  "persistentRecursive",
];

function writeOf(source: ShapeSource, shape: Shape, path: string): ClientOperation {
  const { op, acl } = shape;
  if (op === "sync") return { kind: "sync", path };
  if (op !== "setAcl") return znodeOperation(source, shape, path);
  return { kind: "setAcl", path, acl: aclOf(source, acl), version: versionOf(source, shape) };
}

function znodeOperation(source: ShapeSource, shape: Shape, path: string): ZnodeOperation {
  const version = versionOf(source, shape);
  switch (shape.op) {
    case "setData":
      return { kind: "setData", path, data: dataOf(source, shape), version };
    case "check":
      return { kind: "check", path, version };
    case "delete": {
      const consumed = source.random.chance(0.6) ? source.consume(shape.depth ?? 0) : undefined;
      return { kind: "delete", path: consumed ?? path, version };
    }
    default: {
      const mode = modeOf(source.random, shape.flags ?? 0);
      const at = mode.sequential ? `${path.slice(0, path.lastIndexOf("/"))}/n-` : path;
      const [data, acl] = [dataOf(source, shape), aclOf(source, shape.acl)];
      return { kind: "create", path: at, data, acl, mode };
    }
  }
}

const ROOTS = ["s0", "s1"] as const;
const BELOW = ["a", "b"] as const;
/** What a znode of a shape can be called, unless it is sequential. */
export const NAMES: readonly string[] = [...ROOTS, ...BELOW];

function pathAt(random: Random, depth: number): string {
  const names = Array.from({ length: depth }, (_, index) =>
    random.pick(index === 0 ? ROOTS : BELOW),
  );
  return `/${names.join("/")}`;
}

/** Sometimes over before a client has asked for anything else, sometimes never. */
const TTLS = [1, 1000, 600_000].map((ms) => ms as Lifetime);

function modeOf(random: Random, flags: number): CreateMode {
  const sequential = flags === 2 || flags === 3 || flags === 6;
  const mode = { ephemeral: flags === 1 || flags === 3, sequential };
  if (flags === 4) return { ...mode, lifetime: CONTAINER };
  return flags > 4 ? { ...mode, lifetime: random.pick(TTLS) } : mode;
}

/** The sizes of the recording are powers of four, and what comes below. */
const SIZE_STEP = 4;

function dataOf({ random, token }: ShapeSource, { bytes = null }: Shape): Uint8Array | null {
  if (bytes === null || bytes === 0) return bytes === null ? null : new Uint8Array(0);
  const least = Math.floor(bytes / SIZE_STEP) + 1;
  return token(random.whole(Math.min(least, bytes), bytes));
}

function versionOf({ random }: ShapeSource, { version }: Shape): number {
  return version === "given" ? random.below(3) : -1;
}

function aclOf({ random }: ShapeSource, acl: Shape["acl"]): readonly Acl[] {
  return (acl ?? []).map((entry) => {
    const [permissions, scheme = ""] = entry.split(" ");
    return { permissions: Number(permissions), scheme, id: idOf(random, scheme) };
  });
}

function idOf(random: Random, scheme: string): string {
  switch (scheme) {
    case "world":
      return "anyone";
    case "ip":
      return `10.0.0.${random.whole(1, 3)}`;
    case "digest":
      return digestOf(`${random.pick(["ann", "bob"])}:secret`);
    default:
      return "";
  }
}
