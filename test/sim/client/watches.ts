/** The watches of a client: which events are due, that each comes once, in order, and before any reply that shows the change. */
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { parentOf } from "../../../protocol/paths.ts";
import {
  type StayingWatch,
  type WatcherType,
  type WatchLists,
  WatchEventType,
} from "../../../protocol/reads.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { Model } from "../checks/model.ts";
import type { ModelChange } from "../checks/model-state.ts";
import { must } from "../checks/violation.ts";
import type { Random } from "../random.ts";
import { may, READ, type SimWho } from "./identities.ts";
import type { ReplyHeader } from "../../../protocol/zookeeper/client-replies.ts";
import type { SimRequest, WatcherRequest } from "./wire.ts";

type ReadRequest = Extract<SimRequest, { readonly kind: "read" }>;

/** `exist` is a data watch of a znode that was not there. */
export type WatchKind = "data" | "exist" | "child" | StayingWatch;

type Watch = {
  readonly kind: WatchKind;
  readonly path: string;
  /** The index of the first change that could fire the watch. */
  cursor: number;
};

type Event = { readonly type: WatchEventType; readonly path: string };
type Due = Event & { readonly zxid: Zxid; readonly index: number };

/** Nothing is known of a server's ring of changes: it may have none. */
export const RING_UNKNOWN: Zxid = Number.MAX_SAFE_INTEGER as Zxid;

export class ClientWatches {
  readonly #who: string;
  readonly #model: Model;
  /** By table and path: as the server, one watch of a table on a path. */
  readonly #set = new Map<string, Watch>();
  /** Asked for again on a new connection and not yet answered. */
  #resetting: { readonly after: Zxid; readonly events: Event[] } | undefined;

  readonly #identity: SimWho;

  constructor(who: string, model: Model, identity: SimWho) {
    this.#who = who;
    this.#model = model;
    this.#identity = identity;
  }

  get count(): number {
    return this.#set.size;
  }

  clear(): void {
    this.#set.clear();
    this.#resetting = undefined;
  }

  /** The answer of this zxid says that the watch is set. */
  add(kind: WatchKind, path: string, at: Zxid): void {
    const key = keyOf(kind, path);
    if (!this.#set.has(key))
      this.#set.set(key, { kind, path, cursor: this.#model.firstChangeAfter(at) });
  }

  /** The answer to a read, which may have left a watch. */
  read({ read, path, watch }: ReadRequest, { code, zxid }: ReplyHeader): void {
    if (!watch) return;
    const isOfChildren = read === "getChildren" || read === "getNames";
    if (code === Code.ok) this.add(isOfChildren ? "child" : "data", path, zxid);
    else if (read === "exists") this.add("exist", path, zxid);
  }

  /** The answer to a request about watches alone. */
  answered(asked: WatcherRequest, { code, zxid }: ReplyHeader): void {
    const { kind, path } = asked;
    if (kind === "addWatch") {
      must(code === Code.ok, "watches", () => `${this.#who}: addWatch is answered ${code}`);
      this.add(asked.mode, path, zxid);
      return;
    }
    const there = [...this.#set.values()].filter((watch) => {
      return watch.path === path && isOfType(watch.kind, asked.watcher);
    });
    must(code === (there.length > 0 ? Code.ok : Code.noWatcher), "watches", () => {
      return `${this.#who}: ${kind} ${path} is answered ${code}, with ${there.length} watches`;
    });
    if (kind === "checkWatches") return;
    for (const watch of there) this.#set.delete(keyOf(watch.kind, path));
  }

  /** Its client wants some of them no more, and does not say so to any server. */
  forgetSome(random: Random): void {
    for (const key of [...this.#set.keys()]) if (random.chance(0.3)) this.#set.delete(key);
  }

  /** The connection is lost. What was asked for again and not answered is asked for once more. */
  disconnected(): void {
    for (const event of this.#resetting?.events ?? []) this.#forget(event);
    this.#resetting = undefined;
  }

  /** To be sent on a new connection; the events that come until it is answered belong to it. */
  reset(after: Zxid): WatchLists {
    this.#resetting = { after, events: [] };
    const of = (kind: WatchKind): string[] =>
      [...this.#set.values()].filter((watch) => watch.kind === kind).map(({ path }) => path);
    return {
      data: of("data"),
      exist: of("exist"),
      child: of("child"),
      persistent: of("persistent"),
      persistentRecursive: of("persistentRecursive"),
    };
  }

  /** A reply of this zxid has come: no event of a change up to it may be missing. */
  covered(zxid: Zxid): void {
    if (this.#resetting !== undefined) return;
    for (const watch of this.#set.values()) {
      const due = this.#due(watch, zxid);
      must(due === undefined, "watches", () => {
        return `${this.#who}: a reply of ${formatZxid(zxid)} before the event of ${due?.path} at ${formatZxid(due?.zxid ?? zxid)}`;
      });
    }
  }

  event(event: Event, zxid: Zxid): void {
    if (this.#resetting !== undefined) {
      this.#resetting.events.push(event);
      return;
    }
    const all = [...this.#set.values()].map((watch) => ({ watch, due: this.#due(watch, zxid) }));
    const fired = all.filter(({ due }) => due !== undefined && isOf(due, event, zxid));
    const what = (): string => `${event.type} ${event.path} at ${formatZxid(zxid)}`;
    must(fired.length > 0, "watches", () => `${this.#who}: an event nobody waited for: ${what()}`);
    const index = Math.min(...fired.map(({ due }) => due?.index ?? 0));
    must(
      all.every(({ due }) => due === undefined || due.index >= index),
      "watches",
      () => {
        return `${this.#who}: ${what()} comes before the event of an earlier change`;
      },
    );
    for (const { watch, due } of fired) {
      if (due?.index !== index) continue;
      if (stays(watch.kind)) watch.cursor = index + 1;
      else this.#set.delete(keyOf(watch.kind, watch.path));
    }
  }

  /** The answer to `reset`, from a replica at this zxid, whose ring of changes has none up to `ringFrom` any more. */
  resetDone(at: Zxid, ringFrom: Zxid): void {
    const resetting = this.#resetting;
    must(resetting !== undefined, "protocol", () => `${this.#who}: an answer to no setWatches`);
    this.#resetting = undefined;
    const replayed = this.#replayed(resetting.after, at).map(textOf);
    const expected: string[] = [];
    for (const watch of [...this.#set.values()]) {
      const type = this.#missed(watch, resetting.after, at);
      if (type === undefined) {
        watch.cursor = this.#model.firstChangeAfter(at);
      } else {
        expected.push(`${type} ${watch.path}`);
        this.#set.delete(keyOf(watch.kind, watch.path));
      }
    }
    const came = resetting.events.map(textOf);
    const told = came.slice(expected.length);
    const same = (a: readonly string[], b: readonly string[]): boolean =>
      a.join(", ") === b.join(", ");
    const isKnown = ringFrom <= resetting.after;
    const ok =
      same(came.slice(0, expected.length).toSorted(), expected.toSorted()) &&
      (same(told, replayed) || (told.length === 0 && !isKnown));
    must(ok, "watches", () => {
      const due = [...expected, ...replayed].join(", ");
      return `${this.#who}: setWatches at ${formatZxid(at)} gave [${came.join(", ")}], not [${due}]`;
    });
  }

  /** What the watches that stay are told of the changes after `after` up to `at`: of the same event only the last. */
  #replayed(after: Zxid, at: Zxid): Event[] {
    const { changes } = this.#model;
    const staying = [...this.#set.values()].filter(({ kind }) => stays(kind));
    const events = new Map<string, Event>();
    for (let index = this.#model.firstChangeAfter(after); index < changes.length; index += 1) {
      const change = changes[index];
      if (change === undefined || change.zxid > at) break;
      const own = staying.map((watch) => eventOf(watch, change));
      // A deletion or creation is told of the znode first, then of its parent.
      for (const isParent of [false, true]) {
        const event = own.find((each) => each !== undefined && isOfParent(each) === isParent);
        const acl = (isParent ? change.parentAcl : change.acl) ?? OPEN_ACL;
        if (event === undefined || !may(acl, READ, this.#identity)) continue;
        events.delete(textOf(event));
        events.set(textOf(event), event);
      }
    }
    return [...events.values()];
  }

  /** What one-shot watches fire at once for a change since `after`. Source: DataTree.setWatches. */
  #missed({ kind, path }: Watch, after: Zxid, at: Zxid): WatchEventType | undefined {
    if (stays(kind)) return undefined;
    const stat = this.#model.at(path, at)?.stat;
    if (kind === "exist") return stat === undefined ? undefined : WatchEventType.nodeCreated;
    if (stat === undefined) return WatchEventType.nodeDeleted;
    if (kind === "data") {
      return stat.mzxid > after ? WatchEventType.nodeDataChanged : undefined;
    }
    return stat.pzxid > after ? WatchEventType.nodeChildrenChanged : undefined;
  }

  #forget({ type, path }: Event): void {
    if (type !== WatchEventType.nodeChildrenChanged) this.#set.delete(keyOf("data", path));
    if (type === WatchEventType.nodeChildrenChanged || type === WatchEventType.nodeDeleted) {
      this.#set.delete(keyOf("child", path));
    }
  }

  /**
   * The event of the first change up to `through` that fires the watch. The watch also fires for what its client may not read, but the
   * client is not told.
   */
  #due(watch: Watch, through: Zxid): Due | undefined {
    const { changes } = this.#model;
    for (; watch.cursor < changes.length; watch.cursor += 1) {
      const change = changes[watch.cursor];
      if (change === undefined || change.zxid > through) return undefined;
      const event = eventOf(watch, change);
      if (event === undefined) continue;
      const isOfParent = event.type === WatchEventType.nodeChildrenChanged;
      const acl = isOfParent ? change.parentAcl : change.acl;
      if (may(acl ?? OPEN_ACL, READ, this.#identity)) {
        return { ...event, zxid: change.zxid, index: watch.cursor };
      }
      if (stays(watch.kind)) continue;
      this.#set.delete(keyOf(watch.kind, watch.path));
      return undefined;
    }
    return undefined;
  }
}

function isOf(due: Due, { type, path }: Event, zxid: Zxid): boolean {
  return due.zxid === zxid && due.type === type && due.path === path;
}

function isOfParent({ type }: Event): boolean {
  return type === WatchEventType.nodeChildrenChanged;
}

function textOf({ type, path }: Event): string {
  return `${type} ${path}`;
}

function isOfType(kind: WatchKind, type: WatcherType): boolean {
  return type === "any" || type === (kind === "exist" ? "data" : kind);
}

function stays(kind: WatchKind): kind is StayingWatch {
  return kind === "persistent" || kind === "persistentRecursive";
}

function keyOf(kind: WatchKind, path: string): string {
  return kind === "exist" ? `data ${path}` : `${kind} ${path}`;
}

function eventOf({ kind, path }: Watch, change: ModelChange): Event | undefined {
  if (change.kind === "acl") return undefined;
  if (change.path === path || (kind === "persistentRecursive" && isBelow(change.path, path))) {
    if (kind === "child" && change.kind !== "deleted") return undefined;
    return { type: TYPES[change.kind], path: change.path };
  }
  const hearsOfChildren = kind === "child" || kind === "persistent";
  if (!hearsOfChildren || change.kind === "data" || parentOf(change.path) !== path)
    return undefined;
  return { type: WatchEventType.nodeChildrenChanged, path };
}

const TYPES: Readonly<Record<Exclude<ModelChange["kind"], "acl">, WatchEventType>> = {
  created: WatchEventType.nodeCreated,
  deleted: WatchEventType.nodeDeleted,
  data: WatchEventType.nodeDataChanged,
};

function isBelow(path: string, above: string): boolean {
  return above === "/" || path.startsWith(`${above}/`);
}
