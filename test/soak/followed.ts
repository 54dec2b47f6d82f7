/** What one subscriber of the profile `streams` follows, what it was given, and the comparison of that with the history. */
import type { Client, TreeView, Zxid } from "../../client/connect.ts";
import type { ChangeStream } from "../../client/streams/change-stream.ts";
import type { ChildrenView } from "../../client/streams/children.ts";
import { valueOf } from "../../client/streams/value.ts";
import { parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import { formatZxid } from "../../protocol/zxid.ts";
import { CopyChecks, type CopiedValue, isBelow, type LastView } from "../sim/checks/copies.ts";
import { must } from "../sim/checks/violation.ts";
import { NOBODY } from "../sim/client/identities.ts";
import type { Truth } from "./truth.ts";

export const KINDS = ["changes", "znode", "children of", "tree", "children", "value"] as const;
export type Kind = (typeof KINDS)[number];

type Event = Change | { readonly kind: "progress"; readonly zxid: Zxid };
type Later = { readonly zxid: Zxid; readonly run: () => void };

export type FollowedOptions = {
  readonly kind: Kind;
  readonly path: string;
  readonly truth: Truth;
};

export class Followed {
  readonly name: string;
  changes = 0;
  views = 0;
  gaps = 0;
  compared = 0;
  readonly #options: FollowedOptions;
  readonly #checks: CopyChecks;
  #later: Later[] = [];
  /** Where its stream of changes goes on, and how far it was compared. */
  #after: Zxid;
  #comparedTo: Zxid;
  #last: LastView | undefined;
  /** The place in the history of the next change to be compared. Undefined: it is to be looked for. */
  #cursor: number | undefined;

  constructor(name: string, options: FollowedOptions) {
    const { kind, path, truth } = options;
    this.name = `${name}, ${kind} ${path}`;
    this.#options = options;
    this.#checks = new CopyChecks(this.name, truth.model, { reader: NOBODY, everyChange: true });
    // From the first change that the history has on.
    this.#after = truth.told;
    this.#comparedTo = truth.told;
  }

  open(client: Client, signal: AbortSignal): ChangeStream<unknown> {
    const { kind, path } = this.#options;
    const of = { from: this.#after, progressMs: 0, signal } as const;
    this.#last = undefined;
    switch (kind) {
      case "changes":
        return client.changes(path, { ...of, recursive: true });
      case "znode":
        return client.changes(path, of);
      case "children of":
        return client.changes(path, { ...of, recursive: "children" });
      case "tree":
        return client.tree$(path, { signal });
      case "children":
        return client.children$(path, { signal });
      case "value": {
        const decode = (data: Uint8Array | null, stat: CopiedValue["stat"]): CopiedValue => {
          return { data, stat };
        };
        return valueOf(client.wire, path, decode, { signal });
      }
      default:
        return kind satisfies never;
    }
  }

  given(item: unknown): void {
    const { kind, path } = this.#options;
    const last = this.#last;
    switch (kind) {
      case "tree": {
        const view = item as TreeView;
        this.#last = { kind, view };
        if (view.gap !== undefined) this.gaps += 1;
        this.#view(view.zxid, () => this.#checks.tree(path, last, view, last === undefined));
        return;
      }
      case "children": {
        const view = item as ChildrenView;
        this.#last = { kind, view };
        this.#view(view.zxid, () => this.#checks.children(path, last, view));
        return;
      }
      case "value": {
        const value = item as CopiedValue | undefined;
        this.#last = { kind, value };
        const zxid = value?.stat.mzxid ?? (0 as Zxid);
        this.#view(zxid, () => this.#checks.value(path, last, value));
        return;
      }
      default:
        this.#event(item as Event);
    }
  }

  /** The changes up to here are lost, which it was told. */
  gap(to: Zxid): void {
    this.gaps += 1;
    this.#after = to;
    this.#later.push({ zxid: to, run: () => this.#comesAgainAt(to) });
  }

  #comesAgainAt(zxid: Zxid): void {
    this.#comparedTo = zxid;
    this.#cursor = undefined;
  }

  check(told: Zxid): void {
    const { truth } = this.#options;
    let done = 0;
    for (const { zxid, run } of this.#later) {
      if (zxid > told) break;
      done += 1;
      if (!truth.isOver) truth.check(run);
    }
    this.compared += done;
    if (done > 0) this.#later = this.#later.slice(done);
  }

  isThere(told: Zxid): boolean {
    const { kind, path } = this.#options;
    const isCopy = kind === "tree" || kind === "children" || kind === "value";
    if (isCopy) return this.#checks.isRight(path, this.#last, told);
    return this.#after >= told && this.#later.every(({ zxid }) => zxid > told);
  }

  describe(): string {
    return `at ${formatZxid(this.#after)}, ${this.#later.length} to compare`;
  }

  #view(zxid: Zxid, run: () => void): void {
    this.views += 1;
    this.#later.push({ zxid, run });
  }

  #event(event: Event): void {
    if (event.kind === "progress") {
      const { zxid } = event;
      this.#after = zxid;
      this.#later.push({ zxid, run: () => this.#nothingUpTo(zxid) });
      return;
    }
    this.changes += 1;
    this.#later.push({ zxid: event.zxid, run: () => this.#isNext(event) });
  }

  /** The next change of the history that the stream follows. */
  #next(): { readonly zxid: Zxid; readonly kind: string; readonly path: string } | undefined {
    const { model } = this.#options.truth;
    this.#cursor ??= model.firstChangeAfter(this.#comparedTo);
    for (; this.#cursor < model.changes.length; this.#cursor += 1) {
      const change = model.changes[this.#cursor];
      if (change !== undefined && this.#follows(change.path)) return change;
    }
    return undefined;
  }

  #follows(changed: string): boolean {
    const { kind, path } = this.#options;
    if (kind === "changes") return isBelow(changed, path);
    return changed === path || (kind === "children of" && parentOf(changed) === path);
  }

  #isNext({ zxid, kind, path }: Change): void {
    const next = this.#next();
    const isSame = next?.zxid === zxid && next.kind === kind && next.path === path;
    must(isSame, "change streams", () => {
      const wanted =
        next === undefined ? "nothing" : `${next.kind} ${next.path} at ${formatZxid(next.zxid)}`;
      return `${this.name}: ${kind} ${path} at ${formatZxid(zxid)} instead of ${wanted}`;
    });
    if (this.#cursor !== undefined) this.#cursor += 1;
  }

  #nothingUpTo(zxid: Zxid): void {
    const next = this.#next();
    must(next === undefined || next.zxid > zxid, "change streams", () => {
      return `${this.name}: not told of ${next?.kind} ${next?.path} at ${formatZxid(next?.zxid ?? zxid)}, and stands at ${formatZxid(zxid)}`;
    });
    this.#comparedTo = zxid;
  }
}
