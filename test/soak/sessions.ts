/**
 * Checks what one session sees while it moves from node to node, and that ephemeral nodes live exactly as long as their session.
 */
import type { Violations } from "./violations.ts";

/** What one session has seen. */
export class SessionView {
  readonly #violations: Violations;
  readonly #name: string;
  readonly #versions = new Map<string, number>();
  /** Versions at which watches on nodes were set that have not fired. */
  readonly #watches = new Map<string, number>();
  /** Nodes whose watch has fired, with the version that the next read must exceed. */
  readonly #fired = new Map<string, number>();
  #zxid = 0n;

  constructor(violations: Violations, name: string) {
    this.#violations = violations;
    this.#name = name;
  }

  get watched(): readonly string[] {
    return [...this.#watches.keys()];
  }

  /** Notes a reply. It is called for every reply, in the order in which they came. */
  replied(zxid: bigint, what: string): void {
    if (zxid < this.#zxid) {
      const shown = `${zxid.toString(16)} after ${this.#zxid.toString(16)}`;
      this.#violations.add("read-back", `${this.#name}: ${what} was answered at zxid ${shown}`);
    }
    this.#zxid = zxid;
  }

  /** A reply shows the node at a version. Its own writes count too. */
  saw(path: string, version: number): void {
    const before = this.#versions.get(path);
    if (before !== undefined && version < before) {
      const shown = `version ${version} after version ${before}`;
      this.#violations.add("read-back", `${this.#name}: ${path} has ${shown}`);
    }
    this.#versions.set(path, Math.max(version, before ?? 0));
    const watched = this.#watches.get(path);
    if (watched !== undefined && version > watched) {
      const shown = `version ${version}, and the watch set at version ${watched} has not fired`;
      this.#violations.add("watch-missed", `${this.#name}: ${path} has ${shown}`);
      this.#watches.delete(path);
    }
    const fired = this.#fired.get(path);
    if (fired === undefined) return;
    this.#fired.delete(path);
    if (version <= fired) {
      const shown = `the watch set at version ${fired} fired, and the version is ${version}`;
      this.#violations.add("watch-invented", `${this.#name}: ${path}: ${shown}`);
    }
  }

  watch(path: string, version: number): void {
    this.#watches.set(path, version);
  }

  fired(path: string): void {
    const version = this.#watches.get(path);
    this.#watches.delete(path);
    if (version === undefined) {
      this.#violations.add("watch-invented", `${this.#name}: ${path} was not watched`);
    } else {
      this.#fired.set(path, version);
    }
  }
}

type SessionState = "live" | "abandoned" | "over";

/** A client that falls silent. */
export type Silence = {
  /** When it had its last answer. */
  readonly sinceMs: number;
  readonly timeoutMs: number;
};

/** Within this part of its timeout after the last answer, a client counts on its session. */
export const SAFE_PART: number = 2 / 3;

/** All sessions and their ephemeral nodes. */
export class Ephemerals {
  readonly #violations: Violations;
  readonly #sessions = new Map<bigint, SessionState>();
  readonly #owners = new Map<string, bigint>();
  readonly #deleted = new Set<string>();
  readonly #deleting = new Set<string>();
  readonly #silences = new Map<bigint, Silence>();

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  opened(session: bigint): void {
    this.#sessions.set(session, "live");
  }

  /** Its client does not come back; it is to expire, and not too early. Without a silence it may have been closed. */
  abandoned(session: bigint, silence?: Silence): void {
    this.#sessions.set(session, "abandoned");
    if (silence !== undefined) this.#silences.set(session, silence);
  }

  /** The ensemble told its client that the session expired. */
  expired(client: string, session: bigint, silence: Silence, atMs: number): void {
    this.#checkExpiry(`${client}: session ${session.toString(16)} expired`, atMs, silence);
  }

  /** An ephemeral node was seen to go, by a change stream. */
  sawGone(path: string, owner: bigint, atMs: number): void {
    const silence = this.#silences.get(owner);
    if (silence === undefined || this.#deleting.has(path)) return;
    this.#checkExpiry(`${path} of session ${owner.toString(16)} went`, atMs, silence);
  }

  /** Whether this session is to expire by itself. */
  isAbandoned(session: bigint): boolean {
    return this.#sessions.get(session) === "abandoned";
  }

  /** Closed, or its client was told that it expired. Its acknowledged nodes, which are to be gone now, are returned. */
  over(session: bigint): readonly string[] {
    this.#sessions.set(session, "over");
    return [...this.#owners].filter(([, owner]) => owner === session).map(([path]) => path);
  }

  created(path: string, session: bigint): void {
    this.#owners.set(path, session);
  }

  /** Call before the request leaves. */
  deleting(path: string): void {
    this.#deleting.add(path);
  }

  deleted(path: string): void {
    this.#deleted.add(path);
  }

  wasDeleted(path: string): boolean {
    return this.#deleting.has(path);
  }

  /** Seen by a read that was sent after the session was over. */
  seenAfterEnd(path: string): void {
    this.#violations.add("ephemeral", `${path} was there after the end of its session`);
  }

  #checkExpiry(what: string, atMs: number, { sinceMs, timeoutMs }: Silence): void {
    const silentMs = Math.round(atMs - sinceMs);
    const safeMs = Math.round(timeoutMs * SAFE_PART);
    if (silentMs >= safeMs) return;
    const shown = `after ${silentMs} ms of silence, safe are ${safeMs} ms`;
    this.#violations.add("expired-early", `${what} ${shown}`);
  }

  /** All ephemeral nodes of a node, once every abandoned session has had the time to expire. */
  final(node: string, nodes: readonly { readonly path: string; readonly owner: bigint }[]): void {
    const there = new Map(nodes.map(({ path, owner }) => [path, owner]));
    for (const [path, owner] of there) {
      const state = this.#sessions.get(owner);
      const shown = `${node}: ${path} of session ${owner.toString(16)}`;
      if (state !== "live") {
        this.#violations.add(
          "ephemeral",
          `${shown} is there, the session is ${state ?? "unknown"}`,
        );
      }
      if (this.#deleted.has(path)) {
        this.#violations.add("lost-write", `${shown} was deleted and is there`);
      }
    }
    for (const [path, owner] of this.#owners) {
      const expected = this.#sessions.get(owner) === "live" && !this.#deleting.has(path);
      if (expected && !there.has(path)) {
        const shown = `session ${owner.toString(16)} lives, its node ${path} is gone`;
        this.#violations.add("ephemeral", `${node}: ${shown}`);
      }
    }
  }
}
