/** What a simulated client asks for: drawn from its own chance, over a few znodes that all clients share. */
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { CONTAINER, type Lifetime } from "../../../protocol/lifetime.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import type { Random } from "../random.ts";
import { GUARDED_ROOTS, guardedPath, guardedRequest } from "./guarded.ts";
import type { Proofs } from "./identities.ts";
import { KEEPER_ROOT, keeperRequests } from "./keeper.ts";
import { shapedRequest } from "./shapes.ts";
import type { SimRequest } from "./wire.ts";

/** Weights of what is asked for. */
export type Mix = Readonly<
  Record<Exclude<RequestKind, "guarded" | "keeper" | "shaped" | "wide">, number>
> & {
  /** About znodes with access control lists. Default 0. */
  readonly guarded?: number;
  /** As a client of ClickHouse Keeper's. Default 0. */
  readonly keeper?: number;
  /** Shapes that real clients send. Default 0. */
  readonly shaped?: number;
  /** About more than one znode, or none. Default 0. */
  readonly wide?: number;
};

export type RequestKind =
  | "setData"
  | "create"
  | "delete"
  | "sequential"
  | "ephemeral"
  | "consume"
  | "multi"
  | "lifetime"
  | "multiRead"
  | "syncRead"
  | "read"
  | "watch"
  | "guarded"
  | "keeper"
  | "shaped"
  | "wide"
  | "close";

export type Workload = {
  /** What it proves on each connection. Default: nothing, and it asks for no znodes with lists. */
  readonly proofs?: Proofs | undefined;
  /** The only node that it connects to. Undefined: any. */
  readonly home?: number;
  readonly mix: Mix;
  /** Between two requests. */
  readonly thinkMs: number;
  readonly outstandingMax: number;
  readonly timeoutMs: number;
  /** Asked for by turns, at each connection, with what it is to be granted. Empty: always the same. */
  readonly renewals: readonly { readonly askedMs: number; readonly grantedMs: number }[];
  /** Waits for the answer to a handshake for longer than its session may live. */
  readonly patient: boolean;
  /** Would rather be served by a node without a leader, which only reads, than wait. */
  readonly readOnly: boolean;
  /** Znodes below /k. */
  readonly keys: number;
  /** Parents of sequential znodes. */
  readonly queues: number;
  readonly dataBytes: number;
  /** Asks for many at once now and then. */
  readonly flood: boolean;
  /** Stops taking replies for a while now and then. */
  readonly slowReader: boolean;
  /** The share of what it asks for that is about quotas. Default 0. */
  readonly quotas?: number;
  /** Now and then sends far more than it may have outstanding, and does not read. */
  readonly hog: boolean;
};

const WATCHERS = [
  "any",
  "any",
  "any",
  "child",
  "data",
  "persistent",
  "persistentRecursive",
] as const;
const WATCHING_STREAM = 17;
const READS = ["getData", "exists", "getChildren"] as const;
const LASTING = ["/c/c0", "/c/c0", "/c/c1", "/c/t0", "/c/t1"] as const;
/** From shorter than a reaper's interval to longer than it takes to converge. */
const TTLS = [1, 100, 1000, 4000, 600_000].map((ms) => ms as Lifetime);
/** The code of a create with flags that there are not. */
const REFUSED = Code.badArguments;

/** Everything else happens below these; they are never deleted. */
export function rootsOf({ queues, mix }: Workload): readonly string[] {
  const ofKeeper = (mix.keeper ?? 0) > 0 ? [KEEPER_ROOT] : [];
  const roots = [
    "/k",
    "/e",
    "/c",
    ...ofKeeper,
    ...Array.from({ length: queues }, (_, at) => `/q${at}`),
  ];
  return (mix.guarded ?? 0) > 0 ? [...roots, ...GUARDED_ROOTS] : roots;
}

export class Asker {
  readonly #name: string;
  readonly #random: Random;
  readonly #workload: Workload;
  /** The one read with which it leaves watches, so that it has none of the other kinds; undefined: with all. */
  readonly #watching: (typeof READS)[number] | undefined;
  readonly #created: string[] = [];
  /** Those that came of shapes of real clients. */
  readonly #shaped: string[] = [];
  #count = 0;

  constructor(name: string, random: Random, workload: Workload) {
    this.#name = name;
    this.#random = random;
    this.#workload = workload;
    const own = random.stream(WATCHING_STREAM);
    this.#watching = own.chance(0.3) ? own.pick(READS) : undefined;
  }

  /** A sequential znode of its own is there: it may be consumed. */
  created(path: string): void {
    if (path.startsWith("/s")) this.#shaped.push(path);
    else if (path.includes("/n-")) this.#created.push(path);
  }

  /** More reads than a gateway takes in, or with larger replies than it writes ahead. */
  tooMany(): readonly SimRequest[] {
    const isLarge = this.#random.chance(0.5);
    const read = isLarge ? "getData" : "exists";
    const request = { kind: "read", read, path: this.#key(), watch: false } as const;
    return Array.from({ length: isLarge ? 400 : 5000 }, () => request);
  }

  next(): readonly SimRequest[] {
    const { mix, quotas = 0 } = this.#workload;
    if (quotas > 0 && this.#random.chance(quotas)) return this.#quota();
    const kind = this.#random.weighted(mix) ?? "setData";
    switch (kind) {
      case "syncRead":
        return [write({ kind: "sync", path: "/k" }), this.#read(false)];
      case "read":
        return [this.#read(false)];
      case "wide":
        return [this.#wide()];
      case "watch":
        return [this.#random.chance(this.#watcherShare) ? this.#watcher() : this.#watched()];
      case "close":
        return [write({ kind: "closeSession" })];
      case "guarded":
        return [guardedRequest(this.#random, () => this.#token())];
      case "keeper":
        return keeperRequests(this.#random, () => this.#token());
      case "shaped":
        return [this.#shapedRequest()];
      case "multi":
        return [write(this.#multi())];
      case "multiRead":
        return [this.#multiRead()];
      default:
        return [write(this.#znode(kind))];
    }
  }

  create(path: string): SimRequest {
    return write(this.#create(path, "persistent"));
  }

  #token(): Uint8Array {
    this.#count += 1;
    const text = `${this.#name}-${this.#count}`;
    const bytes = Buffer.alloc(Math.max(text.length, this.#random.below(this.#workload.dataBytes)));
    bytes.write(text, "latin1");
    return bytes;
  }

  #shapedRequest(): SimRequest {
    const shaped = this.#shaped;
    return shapedRequest({
      random: this.#random,
      token: (bytesMax) => this.#token().subarray(-bytesMax),
      consume: (depth) => {
        const index = shaped.findIndex((path) => path.split("/").length === depth + 1);
        return index < 0 ? undefined : shaped.splice(index, 1)[0];
      },
    });
  }

  /** About more than one znode. */
  #wide(): SimRequest {
    const random = this.#random;
    const path = random.pick([
      "/",
      "/k",
      "/e",
      "/c",
      this.#queue(),
      this.#guarded() ?? "/zookeeper",
    ]);
    const kind = random.pick(["getEphemerals", "getAllChildrenNumber"] as const);
    return { kind: "wide", asked: random.chance(0.1) ? { kind: "whoAmI" } : { kind, path } };
  }

  /** A znode whose list changes; undefined for who knows no lists. */
  #guarded(): string | undefined {
    const { proofs, mix } = this.#workload;
    return proofs === undefined || (mix.guarded ?? 0) === 0 ? undefined : guardedPath(this.#random);
  }

  #key(): string {
    return `/k/${this.#random.below(this.#workload.keys)}`;
  }

  #queue(): string {
    return `/q${this.#random.below(this.#workload.queues)}`;
  }

  #version(): number {
    return this.#random.chance(0.6) ? -1 : this.#random.below(4);
  }

  #watched(): SimRequest {
    const request = this.#read(true);
    if (request.kind !== "read" || this.#watching === undefined) return request;
    return { ...request, watch: request.read === this.#watching };
  }

  #read(watch: boolean): SimRequest {
    const random = this.#random;
    if (random.chance(0.25)) {
      const path = random.pick([this.#queue(), "/k", "/e"]);
      return { kind: "read", read: "getChildren", path, watch };
    }
    if (random.chance(this.#mayLast ? 0.3 : 0)) {
      return { kind: "read", read: random.pick(READS), path: this.#lasting(), watch };
    }
    const path = random.chance(0.15) ? `/e/${random.below(this.#workload.keys)}` : this.#key();
    return { kind: "read", read: random.chance(0.6) ? "getData" : "exists", path, watch };
  }

  /** Whether there are znodes with a lifetime, so that other seeds stay what they are. */
  get #mayLast(): boolean {
    return this.#workload.mix.lifetime > 0;
  }

  /** Where there may be a container, or a znode with a TTL: few places, so that their ends meet what clients do there. */
  #lasting(): string {
    return this.#random.pick(LASTING);
  }

  /** What lets lifetimes end, and what keeps them from it. */
  #lifetime(): ZnodeOperation {
    const random = this.#random;
    const path = this.#lasting();
    const isContainer = path.startsWith("/c/c");
    const child = `${path}/x`;
    switch (
      random.pick(["make", "make", "child", "child", "childless", "childless", "set", "end"])
    ) {
      case "make":
        return this.#create(path, "persistent", isContainer ? CONTAINER : random.pick(TTLS));
      case "child":
        return this.#create(child, random.chance(0.3) ? "ephemeral" : "persistent");
      case "childless":
        return { kind: "delete", path: child, version: -1 };
      case "set":
        return { kind: "setData", path, data: this.#token(), version: -1 };
      default:
        // What comes after an end that nobody waited for is another znode.
        return { kind: "delete", path, version: -1 };
    }
  }

  #multiRead(): SimRequest {
    const random = this.#random;
    const reads = Array.from({ length: random.below(4) }, () => {
      const read = random.pick(["getData", "getChildren"] as const);
      const path = random.pick([this.#lasting(), this.#key(), this.#queue()]);
      return { read, path: (random.chance(0.4) ? this.#guarded() : undefined) ?? path };
    });
    return { kind: "multiRead", reads };
  }

  /** Watches that stay are few, since each of them tells much; more where not everybody may be told. */
  get #watcherShare(): number {
    return (this.#workload.mix.guarded ?? 0) === 0 ? 0.15 : 0.4;
  }

  #watcher(): SimRequest {
    const random = this.#random;
    const open = random.pick([this.#key(), this.#key(), this.#queue(), "/k", "/e", "/"]);
    const path = (random.chance(0.5) ? this.#guarded() : undefined) ?? open;
    const kind = random.pick([
      "addWatch",
      "removeWatches",
      "removeWatches",
      "checkWatches",
    ] as const);
    const mode = random.pick(["persistent", "persistentRecursive"] as const);
    const asked =
      kind === "addWatch" ? { kind, path, mode } : { kind, path, watcher: random.pick(WATCHERS) };
    return { kind: "watcher", asked };
  }

  #create(
    path: string,
    mode: "persistent" | "ephemeral" | "sequential" | "both",
    lifetime?: Lifetime,
  ): ZnodeOperation {
    return {
      kind: "create",
      path,
      data: this.#token(),
      acl: OPEN_ACL,
      mode: {
        ephemeral: mode === "ephemeral" || mode === "both",
        sequential: mode === "sequential" || mode === "both",
        ...(lifetime === undefined ? {} : { lifetime }),
      },
    };
  }

  #znode(kind: RequestKind): ZnodeOperation {
    const random = this.#random;
    switch (kind) {
      case "create":
        return this.#create(this.#key(), "persistent");
      case "lifetime":
        return this.#lifetime();
      case "delete":
        return { kind: "delete", path: this.#key(), version: this.#version() };
      case "sequential":
        return this.#create(`${this.#queue()}/n-`, random.chance(0.2) ? "both" : "sequential");
      case "ephemeral":
        return this.#create(`/e/${random.below(this.#workload.keys)}`, "ephemeral");
      case "consume": {
        const path = this.#created.shift();
        if (path === undefined) return this.#create(`${this.#queue()}/n-`, "sequential");
        return { kind: "delete", path, version: -1 };
      }
      default:
        return {
          kind: "setData",
          path: this.#key(),
          data: random.chance(0.05) ? null : this.#token(),
          version: this.#version(),
        };
    }
  }

  /** Makes, changes, deletes or reads a quota of what all clients write. */
  #quota(): readonly SimRequest[] {
    const random = this.#random;
    const path = random.pick(["/k", "/k", this.#queue(), "/e", this.#key()]);
    const parents = path.split("/").slice(1, -1);
    const above = parents.map((_, index) => `/${parents.slice(0, index + 1).join("/")}`);
    const at = `/zookeeper/quota${path}`;
    const [limits, stats] = [`${at}/zookeeper_limits`, `${at}/zookeeper_stats`];
    const make = [this.#text(limits, this.#limits()), this.#text(stats, "count=0,bytes=0")];
    const drop = [limits, stats].map(
      (each): ZnodeOperation => ({ kind: "delete", path: each, version: -1 }),
    );
    const all = (operations: readonly ZnodeOperation[]): SimRequest =>
      write({ kind: "multi", operations });
    switch (random.below(6)) {
      case 0:
        return [...above.map((each) => `/zookeeper/quota${each}`), at]
          .map((each) => this.#text(each, ""))
          .concat(make)
          .map(write);
      case 1:
        return [all(make), { kind: "read", read: "getData", path: stats, watch: true }];
      case 2:
        // Counts that are left without limits are kept up no more.
        return random.pick([drop.map(write), [all(drop)], drop.slice(0, 1).map(write)]);
      case 3: {
        const data = new TextEncoder().encode(this.#limits());
        return [write({ kind: "setData", path: limits, data, version: -1 })];
      }
      case 4: {
        const [gone] = drop;
        const again = [gone, this.#znode("create"), this.#znode("setData"), make[0]];
        return [all(again.flatMap((each) => each ?? []))];
      }
      default:
        return [{ kind: "read", read: "getData", path: stats, watch: false }];
    }
  }

  #limits(): string {
    const random = this.#random;
    const count = random.chance(0.3) ? -1 : random.below(2 * this.#workload.keys);
    const bytes = random.chance(0.5) ? -1 : random.below(8 * this.#workload.dataBytes);
    return `count=-1,bytes=-1=;byteHardLimit=${bytes};countHardLimit=${count}`;
  }

  #text(path: string, text: string): ZnodeOperation {
    return {
      ...this.#create(path, "persistent"),
      data: new TextEncoder().encode(text),
    } as ZnodeOperation;
  }

  #multi(): ClientOperation {
    const kinds = ["setData", "create", "delete", "sequential", "ephemeral", "consume"] as const;
    const operations: ZnodeOperation[] = [];
    if (this.#random.chance(0.5)) {
      operations.push({ kind: "check", path: this.#key(), version: this.#version() });
    }
    const count = this.#random.whole(1, 4);
    for (let index = 0; index < count; index += 1) {
      operations.push(this.#znode(this.#random.pick(kinds)));
    }
    if (this.#mayLast) {
      for (let count = this.#random.below(3); count > 0; count -= 1) {
        operations.splice(this.#random.below(operations.length), 0, this.#lifetime());
      }
      const path = this.#lasting();
      if (this.#random.chance(0.1)) operations.push({ kind: "refusal", path, code: REFUSED });
    }
    return { kind: "multi", operations };
  }
}

function write(operation: ClientOperation): SimRequest {
  return { kind: "write", operation };
}
