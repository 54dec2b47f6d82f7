/** One connection of a load process, whatever protocol it speaks. */
import type { Pacing } from "./pacing.ts";
import type { Cycle, Needs } from "./work.ts";

export interface LoadClient {
  /** Why the connection is lost; undefined while it is open. */
  readonly lost: Error | undefined;
  /** How many requests of the current cycle have been sent. */
  readonly sent: number;
  readonly underWay: number;
  /** Called once if the connection closes or breaks the protocol before `close`. */
  onLost: (() => void) | undefined;
  open(): Promise<void>;
  /** Makes what all connections share, as far as the cycles need it. One client of the load does this. */
  makeShared(needs: Needs, valueBytes: number): Promise<void>;
  /** Makes the connection's own znode. */
  makeOwn(valueBytes: number): Promise<void>;
  /** Repeats the cycle until `stop`. Resolves when all requests are answered or the connection is lost. */
  repeat(cycle: Cycle, pacing: Pacing | undefined): Promise<void>;
  /** Open loop only: sends what is due. */
  tick(): void;
  /** Open loop only: how many requests are due and not sent, since the window is full. */
  overdue(nowMs: number): number;
  stop(): void;
  /** Deletes what the client has made, also by the cycle. */
  cleanUp(cycle: Cycle): Promise<void>;
  /** Deletes what all connections share. */
  cleanUpShared(): Promise<void>;
  close(): void;
}
