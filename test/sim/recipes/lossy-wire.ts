/**
 * A wire over which answers are lost, as over ZooKeeper's protocol when a connection dies: a write ends with ConnectionLossError, done or
 * not, and a stream of changes with a gap. That a request is done after its loss was told is not possible there, since the session
 * has moved; so the loss is told once the request has its outcome.
 */
import { ForwardingWire } from "../../../client/forwarding-wire.ts";
import { pause } from "../../../client/recipes/again.ts";
import type { Answer } from "../../../client/session/messages.ts";
import type {
  CallOptions,
  StreamObserver,
  Wire,
  WireFeatures,
  Wish,
} from "../../../client/wire.ts";
import { ConnectionLossError } from "../../../protocol/errors.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { SeededRandomness } from "../../../runtime/testing/virtual-clock.ts";

export type LossOptions = {
  readonly random: SeededRandomness;
  /** False: nothing is lost any more. */
  readonly loses: () => boolean;
};

const NOT_SENT = 0.03;
const ANSWER_LOST = 0.05;
const STREAM_LOST = 0.04;
/** How long it takes at most until a loss is noticed, in milliseconds. */
const NOTICED_MS = 1_000;
const LATER_MS = 6_000;
const NEVER: AbortSignal = new AbortController().signal;

export class LossyWire extends ForwardingWire {
  readonly #options: LossOptions;
  /** What waits until no loss is unnoticed any more; nothing is heard till then. */
  readonly #unheard: (() => void)[] = [];
  #unnoticed = 0;
  /** Until when the session was valid at the first loss that is not noticed. */
  #wasValidUntilMs = 0;

  constructor(wire: Wire, options: LossOptions) {
    super(wire);
    this.#options = options;
  }

  override get features(): WireFeatures {
    return { ...super.features, exactlyOnce: false };
  }

  override get validUntilMs(): number {
    const untilMs = super.validUntilMs;
    return this.#unnoticed === 0 ? untilMs : Math.min(untilMs, this.#wasValidUntilMs);
  }

  override async request(request: NativeRequest, options?: CallOptions): Promise<Answer> {
    const { random, loses } = this.#options;
    const draw = isLosable(request) && loses() ? random.random() : 1;
    if (draw >= NOT_SENT + ANSWER_LOST) {
      const answer = await super.request(request, options);
      await new Promise<void>((heard) => this.#hears(heard));
      return answer;
    }
    if (draw < ANSWER_LOST) await super.request(request, options);
    // Now and then the connection is away for longer than a claim may be kept.
    await this.#noticed(random.random() * (random.random() < 0.2 ? LATER_MS : NOTICED_MS));
    throw new ConnectionLossError("of the campaign");
  }

  async #noticed(afterMs: number): Promise<void> {
    if (this.#unnoticed === 0) this.#wasValidUntilMs = super.validUntilMs;
    this.#unnoticed += 1;
    await pause(this.clock, afterMs, NEVER);
    this.#unnoticed -= 1;
    if (this.#unnoticed === 0) for (const hear of this.#unheard.splice(0)) hear();
  }

  #hears(hear: () => void): void {
    if (this.#unnoticed === 0) hear();
    else this.#unheard.push(hear);
  }

  override subscribe(wish: Wish, { portion, ended }: StreamObserver): () => void {
    const { random, loses } = this.#options;
    let isLost = false;
    let hasLeft = false;
    let cancel = (): void => undefined;
    const leave = super.subscribe(wish, {
      portion: (changes, through, taken) => {
        if (changes.length > 0 && !isLost && loses() && random.random() < STREAM_LOST) {
          isLost = true;
          cancel = this.clock.after(random.random() * NOTICED_MS, () => {
            leave();
            // Behind the portions that are still to be heard.
            this.#hears(() =>
              hasLeft ? undefined : ended({ kind: "compacted", oldest: through }),
            );
          });
        }
        if (isLost) taken();
        else this.#hears(() => (hasLeft ? undefined : portion(changes, through, taken)));
      },
      ended: (end) => {
        cancel();
        this.#hears(() => (hasLeft ? undefined : ended(end)));
      },
    });
    return () => {
      hasLeft = true;
      cancel();
      leave();
    };
  }
}

function isLosable(request: NativeRequest): boolean {
  if (request.kind !== "write") return false;
  const { kind } = request.operation;
  return kind !== "sync" && kind !== "closeSession";
}
