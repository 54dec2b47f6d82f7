/**
 * Checks what clients saw of nodes that are only ever set. Every set writes a token of its own, and every set takes the next
 * version, so versions are the order of all sets: a history is linearizable exactly if each operation's version fits what was
 * complete before it was sent. No search is needed.
 */
import type { Violations } from "./violations.ts";

export type Seen = {
  readonly path: string;
  readonly version: number;
  readonly token: string;
  readonly mzxid: bigint;
};

type Register = {
  readonly byVersion: Map<number, { readonly token: string; readonly mzxid: bigint }>;
  /** The highest version that any client has seen. */
  floor: number;
};

export class Registers {
  readonly #violations: Violations;
  readonly #registers = new Map<string, Register>();
  readonly #sent = new Set<string>();
  readonly #refused = new Set<string>();
  /** Where a token took effect. */
  readonly #places = new Map<string, string>();

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  get paths(): readonly string[] {
    return [...this.#registers.keys()];
  }

  /** The node was created with this token; nobody else uses it yet. */
  created(path: string, token: string, mzxid: bigint): void {
    this.#sent.add(token);
    this.#registers.set(path, { byVersion: new Map(), floor: 0 });
    this.#saw({ path, version: 0, token, mzxid });
  }

  /** Call before the token leaves; the result belongs to the operation. */
  sent(token: string): void {
    this.#sent.add(token);
  }

  /** The set with this token was answered with an error that says that it did not happen. */
  refused(token: string): void {
    this.#refused.add(token);
    const place = this.#places.get(token);
    if (place !== undefined) this.#foundRefused(token, place);
  }

  /** The highest version seen so far by anyone: an operation sent now is to see no less. */
  floor(path: string): number {
    return this.#register(path).floor;
  }

  /** A set was acknowledged. `floor`: as it was when it was sent. */
  set(seen: Seen, floor: number): void {
    if (seen.version <= floor) {
      const { path, version, token } = seen;
      this.#violations.add(
        "write-order",
        `${path}: ${token} got version ${version}, but version ${floor} had been seen before it was sent`,
      );
    }
    this.#saw(seen);
  }

  /** `floor`: as it was when the sync before this read was sent; undefined for a read without one. */
  read(seen: Seen, floor: number | undefined): void {
    if (floor !== undefined && seen.version < floor) {
      this.#violations.add(
        "sync-read",
        `${seen.path}: version ${seen.version} after a sync, but version ${floor} had been seen before the sync was sent`,
      );
    }
    this.#saw(seen);
  }

  /** What a node holds when all is over. */
  final(node: string, seen: Seen): void {
    const { floor } = this.#register(seen.path);
    if (seen.version < floor) {
      this.#violations.add(
        "lost-write",
        `${node}: ${seen.path} ends with version ${seen.version}, but version ${floor} was seen`,
      );
    }
    this.#saw(seen);
  }

  /** Later versions come with later zxids. */
  checkOrder(): void {
    for (const [path, { byVersion }] of this.#registers) {
      let before: { readonly version: number; readonly mzxid: bigint } | undefined;
      for (const version of [...byVersion.keys()].sort((a, b) => a - b)) {
        const mzxid = byVersion.get(version)?.mzxid ?? 0n;
        if (before !== undefined && mzxid <= before.mzxid) {
          this.#violations.add(
            "write-order",
            `${path}: version ${version} has zxid ${mzxid.toString(16)}, version ${before.version} has ${before.mzxid.toString(16)}`,
          );
        }
        before = { version, mzxid };
      }
    }
  }

  #foundRefused(token: string, place: string): void {
    this.#violations.add("refused-write", `${place} is ${token}, which was refused`);
  }

  #register(path: string): Register {
    const register = this.#registers.get(path);
    if (register === undefined) throw new Error(`${path} is no register`);
    return register;
  }

  #saw({ path, version, token, mzxid }: Seen): void {
    const register = this.#register(path);
    const known = register.byVersion.get(version);
    if (known !== undefined && (known.token !== token || known.mzxid !== mzxid)) {
      const shown = `${known.token} at ${known.mzxid.toString(16)}`;
      const also = `${token} at ${mzxid.toString(16)}`;
      this.#violations.add("two-values", `${path}: version ${version} is ${shown} and ${also}`);
    }
    if (known === undefined) register.byVersion.set(version, { token, mzxid });
    if (version > register.floor) register.floor = version;
    const place = `${path} version ${version}`;
    const other = this.#places.get(token);
    if (other === undefined) this.#places.set(token, place);
    else if (other !== place) {
      this.#violations.add("written-twice", `${token} is ${other} and ${place}`);
    }
    if (this.#refused.has(token)) this.#foundRefused(token, place);
    if (!this.#sent.has(token)) this.#violations.add("invented", `${place} is ${token}`);
  }
}
