/**
 * A subscriber of a native client's change stream: it takes what it is given at once, slowly, or from some time on not at all. It
 * sees that never more is under way to it than it has space for.
 */
import { must } from "../checks/violation.ts";
import type { Random } from "../random.ts";

export type SubscriberOptions = {
  readonly random: Random;
  /** How many changes may be given and not taken. */
  readonly window: number;
  readonly later: (afterMs: number, run: () => void) => void;
  /** How long a slow one takes for a portion, in the mean. */
  readonly takesMs: () => number;
  /** It takes nothing more. */
  readonly stops: () => void;
};

const PACES = ["fast", "slow", "slow", "slow", "stopping"] as const;
const PORTIONS_BEFORE_STOP_MAX = 10;

export class Subscriber {
  readonly #who: string;
  readonly #options: SubscriberOptions;
  readonly #pace: (typeof PACES)[number];
  #portionsLeft: number;
  #untaken = 0;
  #isOver = false;

  constructor(who: string, options: SubscriberOptions) {
    this.#who = who;
    this.#options = options;
    this.#pace = options.random.pick(PACES);
    this.#portionsLeft = options.random.whole(0, PORTIONS_BEFORE_STOP_MAX);
  }

  given(changes: number, taken: () => void): void {
    this.#checkWindow(changes);
    this.#untaken += changes;
    const take = (): void => {
      this.#untaken -= changes;
      taken();
    };
    if (this.#pace === "fast") {
      take();
      return;
    }
    if (this.#pace === "stopping") {
      this.#portionsLeft -= 1;
      if (this.#portionsLeft < 0) {
        this.#options.stops();
        return;
      }
    }
    const { random, later, takesMs } = this.#options;
    later(random.wait(takesMs()), take);
  }

  /** The stream is over. */
  ended(): void {
    this.#isOver = true;
  }

  /** What is given beyond the window is right only if `compacted` comes behind it in the same frame. */
  #checkWindow(changes: number): void {
    const { window, later } = this.#options;
    const untaken = this.#untaken;
    if (changes === 0 || untaken < window) return;
    later(0, () => {
      must(this.#isOver, "change streams", () => {
        return `${this.#who} is given ${changes} changes, with ${untaken} of ${window} not taken`;
      });
    });
  }
}
