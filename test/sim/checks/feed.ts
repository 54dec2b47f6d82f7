/**
 * Checks the change feed: a message says what changed in the model, and nothing that not everybody could read; what it says came before
 * it did, for whoever follows any of the first names of its path; a leader's messages follow each other without a gap.
 */
import type { FeedMessage } from "../../../actors/feed/messages.ts";
import type { FeedState } from "../../../actors/feed/feed.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import {
  FEED_BEGIN,
  FEED_INDEX_MAX,
  feedPosition,
  type FeedPosition,
} from "../../../protocol/feed.ts";
import { type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { may, NOBODY, READ } from "../client/identities.ts";
import type { SimNode } from "../sim-node.ts";
import { ENSEMBLE } from "../subjects.ts";
import type { ModelChange } from "./model-state.ts";
import { sameBytes, type Truth } from "./truth.ts";
import { must } from "./violation.ts";

/** What a program that subscribes reads. */
type Told = {
  readonly v: number;
  readonly at: FeedPosition;
  readonly prev: readonly FeedPosition[];
  readonly zxid: Zxid;
  readonly kind: string;
  readonly path: string;
  readonly text?: string | null;
  readonly base64?: string;
};

/** A message as it is offered. */
type Heard = { readonly subject: string; readonly told: Told };

/** A change that everybody could read when it was made. */
type Shown = ModelChange & { readonly at: FeedPosition };

/** A stream of one incarnation, and how far it has come. */
type Reign = { readonly key: string; last: FeedPosition };

const PREFIX = `zooid.${ENSEMBLE}.changes.`;

export class FeedChecks {
  readonly #truth: Truth;
  readonly #all = new Map<FeedPosition, Shown>();
  /** In order, by the path that is above them or their own. The root's is "". */
  readonly #below = new Map<string, Shown[]>();
  readonly #reigns = new Map<SimNode, Reign>();
  #seen = 0;
  #zxid = ZXID_NONE;
  #index = 0;
  told = 0;
  marks = 0;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  saw(node: SimNode, message: FeedMessage, state: FeedState, effects: readonly Effect[]): void {
    this.#catchUp();
    const { chain, through } = state;
    if (chain === undefined) return;
    const key = `${node.starts} ${state.stream}`;
    const reign = this.#reigns.get(node);
    let last = reign?.key === key ? reign.last : undefined;
    for (const { subject, told } of heardOf(effects)) {
      const who = `node ${node.id} publishes ${told.kind} ${told.path} at ${told.at}`;
      if (told.kind === "mark") {
        this.#checkMark(who, told, subject);
        this.marks += 1;
        continue;
      }
      this.#checkContent(who, told, subject, through);
      this.#checkBefore(who, told);
      must(last === undefined || told.at > last, "feed", () => `${who}, after ${last}`);
      must(last === undefined || (told.prev[0] ?? "") <= last, "feed", () => {
        return `${who} and says that something came at ${told.prev[0]}, after ${last}`;
      });
      last = told.at;
      this.told += 1;
    }
    if (message.kind === "changes") this.#reigns.set(node, { key, last: last ?? chain.floor });
  }

  /** The leader has published everything, or none of the nodes has a feed. */
  isComplete(nodes: readonly SimNode[]): boolean {
    this.#catchUp();
    return nodes.every((node) => {
      const state = node.stateOf("feed/1") as FeedState | undefined;
      if (!node.leads || state?.options.isOn !== true) return true;
      const reign = this.#reigns.get(node);
      if (reign?.key !== `${node.starts} ${state.stream}`) return false;
      return this.#between("", reign.last, undefined) === undefined;
    });
  }

  #checkContent(who: string, told: Told, subject: string, through: Zxid): void {
    const { model } = this.#truth;
    const shown = this.#all.get(told.at);
    must(shown?.kind === told.kind && shown.path === told.path, "feed", () => {
      return `${who}, where ${shown === undefined ? "nothing" : `${shown.kind} ${shown.path}`} was`;
    });
    must(told.v === 1 && told.zxid === shown.zxid, "feed", () => `${who} as zxid ${told.zxid}`);
    const names = subject.slice(PREFIX.length).split(".").map(decoded);
    must(subject.startsWith(PREFIX) && `/${names.join("/")}` === told.path, "feed", () => {
      return `${who} on ${subject}`;
    });
    const moment = model.at(told.path, through);
    const isOpen = moment?.stat === undefined || may(moment.acl, READ, NOBODY);
    must(isOpen, "feed", () => `${who}, which not everybody may read`);
    if (model.changesAt(told.zxid) > 1 || (told.kind !== "created" && told.kind !== "data")) return;
    const { text, base64 } = told;
    const data = text === null ? null : Buffer.from(text ?? base64 ?? "", text ? "utf8" : "base64");
    const right = model.at(told.path, told.zxid)?.data ?? null;
    must(sameBytes(data, right), "feed", () => `${who} with other data`);
  }

  /** Whoever believes it has missed nothing up to its place, if he has had all up to what it says came before. */
  #checkMark(who: string, told: Told, subject: string): void {
    must(told.v === 1 && told.at === feedPosition(told.zxid, FEED_INDEX_MAX), "feed", () => {
      return `${who} for zxid ${told.zxid}`;
    });
    const name = subject.slice(PREFIX.length).replace(/\.?%mark$/, "");
    must(told.path === `/${decodeURIComponent(name)}`, "feed", () => `${who} on ${subject}`);
    this.#checkBefore(who, told);
  }

  /** Nobody who has had all up to what is said to be before it has missed anything. */
  #checkBefore(who: string, { at, prev, path, kind }: Told): void {
    const above = pathsAbove(path);
    must(prev.length === above.length, "feed", () => `${who} for ${prev.length} levels`);
    for (const [level, followed] of above.entries()) {
      const before = prev[level] ?? FEED_BEGIN;
      must(kind === "mark" ? before <= at : before < at, "feed", () => `${who}, after ${before}`);
      const missed = this.#between(followed, before, at);
      must(missed === undefined, "feed", () => {
        return `${who} after ${before} for who follows ${followed}/: ${JSON.stringify(missed)} is between`;
      });
    }
  }

  /** Returns the last change below the path that has to be told, of those between two places. */
  #between(
    below: string,
    after: FeedPosition,
    before: FeedPosition | undefined,
  ): Shown | undefined {
    const all = this.#below.get(below) ?? [];
    for (let index = all.length - 1; index >= 0; index -= 1) {
      const shown = all[index];
      if (shown === undefined || shown.at <= after) return undefined;
      if (before !== undefined && shown.at >= before) continue;
      // It was closed later, perhaps in the same multi: before it was told.
      const from = (shown.zxid - 1) as Zxid;
      if (!this.#truth.model.isClosedAfter(shown.path, from, NOBODY)) return shown;
    }
    return undefined;
  }

  #catchUp(): void {
    const { changes } = this.#truth.model;
    for (; this.#seen < changes.length; this.#seen += 1) {
      const change = changes[this.#seen];
      if (change === undefined) return;
      this.#index = change.zxid === this.#zxid ? this.#index + 1 : 0;
      this.#zxid = change.zxid;
      if (!may(change.acl ?? OPEN_ACL, READ, NOBODY)) continue;
      const shown = { ...change, at: feedPosition(change.zxid, this.#index) };
      this.#all.set(shown.at, shown);
      for (const path of pathsAbove(change.path)) {
        const below = this.#below.get(path);
        if (below === undefined) this.#below.set(path, [shown]);
        else below.push(shown);
      }
    }
  }
}

function heardOf(effects: readonly Effect[]): readonly Heard[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== "offer") return [];
    return effect.messages.map(({ subject, text }) => ({
      subject,
      told: JSON.parse(text) as Told,
    }));
  });
}

/** As a program decodes a token. */
function decoded(token: string): string {
  return token === "%" ? "" : decodeURIComponent(token);
}

function pathsAbove(path: string): readonly string[] {
  if (path === "/") return [""];
  const names = path.slice(1).split("/");
  return ["", ...names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`)];
}
