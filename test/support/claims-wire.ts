/** A wire to an ensemble of one session that is a list of znodes, with a clock that is set by hand and outcomes that are ordered. */
import { BehaviorSubject } from "rxjs";
import type { SessionState } from "../../client/session/messages.ts";
import type { StreamObserver, Wire, WireFeatures, Wish } from "../../client/wire.ts";
import { Code } from "../../protocol/codes.ts";
import type { SessionId } from "../../protocol/ids.ts";
import type { NativeRequest, NativeResult } from "../../protocol/native-packing.ts";
import { nameOf, sequenceSuffix } from "../../protocol/paths.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { HandClock } from "./recipes.ts";

const SESSION = 7 as SessionId;

export class ClaimsWire implements Wire {
  readonly clock: HandClock = new HandClock();
  readonly features: WireFeatures = {
    exactlyOnce: false,
    pages: true,
    wideOperations: true,
    everyChange: true,
  };
  readonly state$: BehaviorSubject<SessionState> = new BehaviorSubject<SessionState>({
    kind: "connected",
    session: SESSION,
    timeoutMs: 10_000,
    server: 1,
    lane: 1,
  });
  readonly requestBytesMax: number = 1_000_000;
  validUntilMs = 6_000;
  /** The znodes below the only parent, by their paths. */
  readonly znodes: Map<string, Stat> = new Map<string, Stat>();
  readonly streams: (Wish & { readonly observer: StreamObserver })[] = [];
  readonly asked: string[] = [];
  /** The number of the next sequential znode. */
  next = 0;
  /** Called before a request is done; it throws what is to be its outcome. `done` does it all the same. */
  before: (kind: string, done: () => void) => void = () => undefined;
  #zxid = 100;

  get state(): SessionState {
    return this.state$.value;
  }

  get lastZxid(): Zxid {
    return this.#zxid as Zxid;
  }

  async request(request: NativeRequest): ReturnType<Wire["request"]> {
    const kind = request.kind === "write" ? request.operation.kind : request.kind;
    this.asked.push(kind);
    let done: NativeResult | undefined;
    this.before(kind, () => {
      done ??= this.#done(request);
    });
    done ??= this.#done(request);
    return { zxid: this.lastZxid, result: done };
  }

  subscribe(wish: Wish, observer: StreamObserver): () => void {
    const stream = { ...wish, observer };
    this.streams.push(stream);
    return () => {
      const at = this.streams.indexOf(stream);
      if (at >= 0) this.streams.splice(at, 1);
    };
  }

  close(): Promise<void> {
    this.state$.next({ kind: "closed" });
    return Promise.resolve();
  }

  /** Somebody else has a znode there. */
  add(path: string): void {
    this.#zxid += 1;
    this.znodes.set(path, statOf(this.lastZxid));
  }

  /** Deletes a znode, and tells whoever hears of it. */
  delete(path: string): boolean {
    const stat = this.znodes.get(path);
    if (stat === undefined) return false;
    this.#zxid += 1;
    this.znodes.delete(path);
    const zxid = this.lastZxid;
    for (const stream of [...this.streams]) {
      if (stream.path !== path) continue;
      const change = { zxid, index: 0, kind: "deleted", path, stat } as const;
      stream.observer.portion([change], zxid, () => undefined);
    }
    return true;
  }

  #done(request: NativeRequest): NativeResult {
    if (request.kind === "write") {
      const { operation } = request;
      if (operation.kind === "create") {
        const path = `${operation.path}${sequenceSuffix(this.next)}`;
        this.next += 1;
        this.add(path);
        return { kind: "created", path, stat: this.znodes.get(path) as Stat };
      }
      if (operation.kind === "delete" && !this.delete(operation.path)) {
        return { kind: "error", code: Code.noNode };
      }
      return { kind: "done" };
    }
    if (request.kind !== "read") return { kind: "done" };
    const { read } = request;
    if (read.kind === "getChildren") {
      return {
        kind: "children",
        children: [...this.znodes.keys()].map((path) => nameOf(path)),
        stat: statOf(this.lastZxid),
      };
    }
    const stat = this.znodes.get(read.path);
    return stat === undefined ? { kind: "error", code: Code.noNode } : { kind: "stat", stat };
  }
}

function statOf(zxid: Zxid): Stat {
  return {
    ...{ czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: 1, mtime: 1 },
    ...{ version: 0, cversion: 0, aversion: 0, dataLength: 0, numChildren: 0 },
    ephemeralOwner: SESSION,
  };
}
