/** The one-shot watches of a client: which events are due, that each comes once, and before any reply that shows the change. */
import { parentOf } from "../../../protocol/paths.ts";
import { WatchEventType } from "../../../protocol/reads.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { Model, ModelChange } from "../checks/model.ts";
import { must } from "../checks/violation.ts";
import type { WatchLists } from "./wire.ts";

/** `exist` is a data watch of a znode that was not there. */
export type WatchKind = "data" | "exist" | "child";

type Watch = {
  readonly kind: WatchKind;
  readonly path: string;
  /** The index of the first change that could fire the watch. */
  cursor: number;
};

type Event = { readonly type: WatchEventType; readonly path: string };

export class ClientWatches {
  readonly #who: string;
  readonly #model: Model;
  /** By table and path: as the server, one watch of a table on a path. */
  readonly #set = new Map<string, Watch>();
  /** Asked for again on a new connection and not yet answered. */
  #resetting: { readonly after: Zxid; readonly events: Event[] } | undefined;

  constructor(who: string, model: Model) {
    this.#who = who;
    this.#model = model;
  }

  get count(): number {
    return this.#set.size;
  }

  clear(): void {
    this.#set.clear();
    this.#resetting = undefined;
  }

  /** A read left a watch at this zxid. */
  add(kind: WatchKind, path: string, at: Zxid): void {
    const key = keyOf(kind, path);
    if (!this.#set.has(key))
      this.#set.set(key, { kind, path, cursor: this.#model.firstChangeAfter(at) });
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
    return { data: of("data"), exist: of("exist"), child: of("child") };
  }

  /** A reply of this zxid has come: no event of a change up to it may be missing. */
  covered(zxid: Zxid): void {
    if (this.#resetting !== undefined) return;
    for (const watch of this.#set.values()) {
      const due = this.#due(watch, zxid);
      must(due === undefined, "watches", () => {
        const change = `${due?.change.kind} ${due?.change.path} at ${formatZxid(due?.change.zxid ?? zxid)}`;
        return `${this.#who}: a reply of ${formatZxid(zxid)} before the event of ${change}`;
      });
    }
  }

  event(event: Event, zxid: Zxid): void {
    if (this.#resetting !== undefined) {
      this.#resetting.events.push(event);
      return;
    }
    const fired = this.#candidates(event).filter((watch) => {
      const due = this.#due(watch, zxid);
      return due !== undefined && due.change.zxid === zxid && due.type === event.type;
    });
    must(fired.length > 0, "watches", () => {
      return `${this.#who}: an event nobody waited for: ${event.type} ${event.path} at ${formatZxid(zxid)}`;
    });
    for (const watch of fired) this.#set.delete(keyOf(watch.kind, watch.path));
  }

  /** The answer to `reset`, from a replica at this zxid. */
  resetDone(at: Zxid): void {
    const resetting = this.#resetting;
    must(resetting !== undefined, "protocol", () => `${this.#who}: an answer to no setWatches`);
    this.#resetting = undefined;
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
    const came = resetting.events.map(({ type, path }) => `${type} ${path}`);
    const same = came.toSorted().join(", ") === expected.toSorted().join(", ");
    must(same, "watches", () => {
      return `${this.#who}: setWatches at ${formatZxid(at)} gave [${came.join(", ")}], not [${expected.join(", ")}]`;
    });
  }

  /** What setWatches fires at once for a change since `after`. Source: DataTree.setWatches. */
  #missed({ kind, path }: Watch, after: Zxid, at: Zxid): WatchEventType | undefined {
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

  #candidates({ type, path }: Event): Watch[] {
    const data = this.#set.get(keyOf("data", path));
    const child = this.#set.get(keyOf("child", path));
    const candidates = type === WatchEventType.nodeChildrenChanged ? [child] : [data, child];
    return candidates.filter((watch) => watch !== undefined);
  }

  /** The first change up to `through` that fires the watch. */
  #due(
    watch: Watch,
    through: Zxid,
  ): { readonly change: ModelChange; readonly type: WatchEventType } | undefined {
    const { changes } = this.#model;
    for (; watch.cursor < changes.length; watch.cursor += 1) {
      const change = changes[watch.cursor];
      if (change === undefined || change.zxid > through) return undefined;
      const type = typeOf(watch, change);
      if (type !== undefined) return { change, type };
    }
    return undefined;
  }
}

function keyOf(kind: WatchKind, path: string): string {
  return kind === "child" ? `child ${path}` : `data ${path}`;
}

function typeOf({ kind, path }: Watch, change: ModelChange): WatchEventType | undefined {
  if (change.path === path) {
    if (change.kind === "deleted") return WatchEventType.nodeDeleted;
    if (kind === "child") return undefined;
    return change.kind === "created" ? WatchEventType.nodeCreated : WatchEventType.nodeDataChanged;
  }
  if (kind !== "child" || change.kind === "data") return undefined;
  return parentOf(change.path) === path ? WatchEventType.nodeChildrenChanged : undefined;
}
