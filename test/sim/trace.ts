/** What happened in a run: a hash over every delivered message, disk operation and client's bytes, and the last events as text. */
import { crc32 } from "node:zlib";
import { must } from "./checks/violation.ts";

const EVENTS_KEPT = 400;
/** Far more than any run needs: a run that reaches it sends messages for ever. */
const STEPS_MAX = 600_000;

export class Trace {
  /** Called with every event, as it happens: as a line, and its parts. */
  listener: ((line: string, who: string, text: string) => void) | undefined;
  /** Also every message and disk operation becomes an event. */
  readonly verbose: boolean;
  readonly #nowMs: () => number;
  readonly #events: string[] = [];
  #checksum = 0;
  #mixed = 0x2545_f491;
  #count = 0;

  constructor(nowMs: () => number, verbose: boolean) {
    this.#nowMs = nowMs;
    this.verbose = verbose;
  }

  get hash(): string {
    return hex(this.#mixed) + hex(this.#checksum);
  }

  /** The number of messages, disk operations, and messages of clients. */
  get steps(): number {
    return this.#count;
  }

  get events(): readonly string[] {
    return this.#events;
  }

  /** One step of the run. `what`: a number for its kind and for who takes part. */
  step(what: number, bytes: Uint8Array | undefined): void {
    this.#count += 1;
    must(this.#count < STEPS_MAX, "liveness", () => `a storm: ${STEPS_MAX} steps in one run`);
    if (bytes !== undefined) this.#checksum = crc32(bytes, this.#checksum);
    let mixed = Math.imul(this.#mixed ^ what, 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ Math.floor(this.#nowMs() * 1000), 0xc2b2_ae35);
    this.#mixed = mixed ^ (mixed >>> 15);
  }

  note(who: string, text: string): void {
    const line = `${this.#nowMs().toFixed(2).padStart(10)}  ${who.padEnd(10)} ${text}`;
    this.#events.push(line);
    if (this.#events.length > 2 * EVENTS_KEPT) this.#events.splice(0, EVENTS_KEPT);
    this.listener?.(line, who, text);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
