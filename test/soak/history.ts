/** All checkers of a run together, and the names that its clients share. */
import { FaultLog } from "./fault-log.ts";
import { Intruders } from "./intruders.ts";
import { Registers } from "./registers.ts";
import { Ephemerals } from "./sessions.ts";
import { Sequences } from "./sequences.ts";
import { StallWatch } from "./stalls.ts";
import { type Violation, Violations } from "./violations.ts";

export const ROOT = "/soak";
export const LIVE: string = `${ROOT}/live`;
export const LOGS: string = `${ROOT}/log`;
export const REGISTERS: readonly string[] = Array.from(
  { length: 8 },
  (_, index) => `${ROOT}/register-${index}`,
);

/** Beside the root, so that no change stream carries it: its size is what fills the log. */
export const BULK = "/soak-bulk";

export type Counts = {
  /** Acknowledged. */
  writes: number;
  /** Answered with an error that says that they did not happen. */
  refused: number;
  /** Never answered. */
  unknown: number;
  reads: number;
  events: number;
  /** Change streams from the past that told everything again, and those that said that they could not. */
  lateStreams: number;
  compacted: number;
  moves: number;
  losses: number;
  sessions: number;
  /** Sessions whose clients never came back. */
  silenced: number;
  expired: number;
};

export class History {
  readonly violations: Violations;
  readonly registers: Registers;
  readonly sequences: Sequences;
  readonly ephemerals: Ephemerals;
  readonly intruders: Intruders;
  readonly faults: FaultLog;
  readonly stalls: StallWatch;
  readonly counts: Counts;
  readonly #multis = new Set<string>();
  readonly #refused = new Set<string>();

  constructor(onViolation: (violation: Violation) => void) {
    this.violations = new Violations(onViolation);
    this.registers = new Registers(this.violations);
    this.sequences = new Sequences(this.violations);
    this.ephemerals = new Ephemerals(this.violations);
    this.intruders = new Intruders(this.violations);
    this.faults = new FaultLog();
    this.stalls = new StallWatch(this.faults);
    this.counts = {
      writes: 0,
      refused: 0,
      unknown: 0,
      reads: 0,
      events: 0,
      lateStreams: 0,
      compacted: 0,
      moves: 0,
      losses: 0,
      sessions: 0,
      silenced: 0,
      expired: 0,
    };
  }

  wrote(): void {
    this.counts.writes += 1;
    this.faults.wrote(performance.now());
  }

  /** Never answered: it may have happened, or may yet. */
  unknown(): void {
    this.counts.unknown += 1;
  }

  /** The answer says that it did not happen, so nobody may see it at any time. */
  refused(token: string): void {
    this.counts.refused += 1;
    this.#refused.add(token);
    this.registers.refused(token);
    this.sequences.mustFail(token);
  }

  /** The change stream tells of a write. */
  streamed(token: string, path: string): void {
    if (!this.#refused.has(token)) return;
    this.violations.add("refused-write", `${path} became ${token}, which was refused`);
  }

  multiSent(token: string): void {
    this.#multis.add(token);
  }

  isMulti(token: string): boolean {
    return this.#multis.has(token);
  }

  /** A client lost a connection that it did not end itself. */
  lost(client: string, node: number, reason: string): void {
    this.counts.losses += 1;
    this.stalls.look();
    if (this.faults.excuses(node, performance.now())) return;
    this.violations.add("connection-loss", `${client} lost node ${node + 1}: ${reason}`);
  }
}
