/**
 * Messages above what a NATS server takes at once travel as fragments. A sender hands over all fragments of a message one
 * after the other and NATS keeps their order, so each sender has at most one message incomplete: a fragment that does not
 * follow the one before means that something was lost, and with it that message. Which fragment it is stands in the reply
 * subject: `.<message>.<index>.<count>`, behind whatever names the sender.
 */

/** The largest message that is sent in fragments. A larger one is dropped. */
export const MESSAGE_BYTES_MAX: number = 64 * 1024 * 1024;
/** A message of the largest size has this many fragments if the servers take only a kilobyte at once. */
const FRAGMENTS_MAX = 65_536;

export type Fragment = {
  /** The sender's name for the message, another one for each. */
  readonly message: string;
  /** The fragment's place, counted from 0. */
  readonly index: number;
  readonly count: number;
  readonly bytes: Uint8Array;
};

export type ReassemblyLimits = {
  /** Bytes of all incomplete messages together. Above it the oldest is dropped. */
  readonly bytesMax: number;
  /** A message that has not grown for this time is dropped when the next fragment of anyone arrives. */
  readonly idleMs: number;
};

/** What limits the messages that a connection to NATS puts together. */
export const NATS_REASSEMBLY: ReassemblyLimits = { bytesMax: MESSAGE_BYTES_MAX, idleMs: 10_000 };

type Incomplete = {
  readonly message: string;
  readonly count: number;
  readonly pieces: Uint8Array[];
  bytes: number;
  lastMs: number;
};

/** Cuts `bytes` into pieces of at most `bytesMax`. They are views, not copies. */
export function split(bytes: Uint8Array, bytesMax: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += bytesMax) {
    pieces.push(bytes.subarray(start, start + bytesMax));
  }
  return pieces;
}

/** Reads the three tokens that number a fragment; undefined if they number none. */
export function readFragmentTokens(tokens: readonly string[]): Omit<Fragment, "bytes"> | undefined {
  const [message, indexToken, countToken] = tokens;
  const index = Number(indexToken);
  const count = Number(countToken);
  const isCount = Number.isInteger(count) && count <= FRAGMENTS_MAX;
  const isIndex = Number.isInteger(index) && index >= 0 && index < count;
  return message === undefined || !isCount || !isIndex ? undefined : { message, index, count };
}

export class Reassembler {
  readonly #limits: ReassemblyLimits;
  readonly #nowMs: () => number;
  /** By sender; the one that grew last comes last. */
  readonly #incomplete = new Map<string, Incomplete>();
  #bytes = 0;

  constructor(limits: ReassemblyLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Bytes kept for messages that are not complete. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** The whole message once its last fragment is there. */
  add(sender: string, fragment: Fragment): Uint8Array | undefined {
    const current = this.#take(sender, fragment);
    this.#dropIdle();
    if (current === undefined) return undefined;
    current.pieces.push(fragment.bytes);
    current.bytes += fragment.bytes.length;
    if (current.pieces.length === current.count) return concat(current.pieces, current.bytes);
    current.lastMs = this.#nowMs();
    this.#incomplete.set(sender, current);
    this.#bytes += current.bytes;
    this.#dropAboveLimit();
    return undefined;
  }

  /** Takes out what the fragment continues; undefined if it continues nothing. */
  #take(sender: string, fragment: Fragment): Incomplete | undefined {
    const { message, index, count } = fragment;
    const before = this.#incomplete.get(sender);
    if (before !== undefined) this.#drop(sender, before);
    if (fragment.bytes.length === 0) return undefined;
    if (index === 0) return { message, count, pieces: [], bytes: 0, lastMs: 0 };
    if (before?.message !== message || before.pieces.length !== index) return undefined;
    return before.count === count ? before : undefined;
  }

  #dropIdle(): void {
    const idleSinceMs = this.#nowMs() - this.#limits.idleMs;
    for (const [sender, incomplete] of this.#incomplete) {
      if (incomplete.lastMs > idleSinceMs) return;
      this.#drop(sender, incomplete);
    }
  }

  #dropAboveLimit(): void {
    for (const [sender, incomplete] of this.#incomplete) {
      if (this.#bytes <= this.#limits.bytesMax) return;
      this.#drop(sender, incomplete);
    }
  }

  #drop(sender: string, incomplete: Incomplete): void {
    this.#incomplete.delete(sender);
    this.#bytes -= incomplete.bytes;
  }
}

function concat(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let position = 0;
  for (const piece of pieces) {
    whole.set(piece, position);
    position += piece.length;
  }
  return whole;
}
