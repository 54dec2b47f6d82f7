/** A client of an ensemble under test: the one of `zooid/client`, in a process of its own with a clock of its own. */
import { type Client, type ConnectOptions, connectOver } from "../client/connect.ts";
import { sessionOptionsOf } from "../client/options.ts";
import type { Environment } from "../client/session-driver.ts";
import { NativeWire } from "../client/native-wire.ts";
import type { Answer, SessionState } from "../client/session/messages.ts";
import type { CallOptions } from "../client/wire.ts";
import type { NativeRequest } from "../protocol/native-packing.ts";
import type { SessionId } from "../protocol/ids.ts";
import type { MemorySubjects, Subscriber } from "../runtime/testing/memory-subjects.ts";
import { NodeClock } from "../runtime/testing/node-clock.ts";
import { SeededRandomness, type VirtualClock } from "../runtime/testing/virtual-clock.ts";
import { MemoryChannel } from "../server/embedded/memory-channel.ts";
import { Pauses } from "./pauses.ts";
import type { TestTime } from "./time.ts";

/** The name of every ensemble under test. */
export const ENSEMBLE = "zooid";

/** What has no meaning here is left out: there is one ensemble, and no NATS. */
export type TestConnectOptions = Omit<
  ConnectOptions,
  "ensemble" | "user" | "password" | "token" | "tls"
> & {
  /** How many of its milliseconds the client's clock shows in one of the others': clocks drift. Default 1. */
  readonly clockRate?: number;
};

export type ClientSurroundings = {
  readonly time: TestTime;
  readonly clock: VirtualClock;
  readonly subjects: MemorySubjects;
  readonly seed: number;
};

export class ClientUnderTest {
  /** Among the processes on the subjects. */
  readonly name: string;
  readonly pauses: Pauses;
  readonly #wire: NativeWire;
  readonly #channel: MemoryChannel;
  readonly #clock: NodeClock;
  #sessionId: SessionId | undefined;
  #state: SessionState = { kind: "connecting" };

  constructor(name: string, options: TestConnectOptions, surroundings: ClientSurroundings) {
    const session = { ...sessionOptionsOf(options), ensemble: ENSEMBLE };
    const { time, clock: base, subjects, seed } = surroundings;
    this.name = name;
    const { clockRate: rate = 1 } = options;
    this.#clock = new NodeClock(base, { rate, wallOffsetMs: 0, startMs: 0 });
    this.pauses = new Pauses(this.#clock, base);
    const subscriber = told(subjects.join(name, this.#clock), time);
    const client = name.replace(" ", "-");
    this.#channel = new MemoryChannel({ subscriber, ensemble: session.ensemble, client });
    const environment = environmentOf(this.#clock, new SeededRandomness(seed), time);
    this.#wire = new TimedWire(this.#channel, session, environment, time);
    this.#wire.state$.subscribe((state) => {
      this.#state = state;
      if (state.kind === "connected") this.#sessionId = state.session;
    });
  }

  /** The session's number, until it has ended. */
  get session(): SessionId | undefined {
    return this.hasEnded ? undefined : this.#sessionId;
  }

  get hasEnded(): boolean {
    return this.#state.kind === "expired" || this.#state.kind === "closed";
  }

  get paused(): boolean {
    return this.#clock.paused;
  }

  connect(options: TestConnectOptions): Promise<Client> {
    return connectOver(this.#wire, options);
  }

  close(): Promise<void> {
    return this.#wire.close();
  }
}

/** While a request has no outcome, time moves on. */
class TimedWire extends NativeWire {
  readonly #time: TestTime;

  constructor(
    channel: MemoryChannel,
    options: ConstructorParameters<typeof NativeWire>[1],
    environment: Environment,
    time: TestTime,
  ) {
    super(channel, options, environment);
    this.#time = time;
  }

  override request(request: NativeRequest, options?: CallOptions): Promise<Answer> {
    return this.#time.wait(super.request(request, options));
  }

  override close(): Promise<void> {
    return this.#time.wait(super.close());
  }
}

function environmentOf(clock: NodeClock, random: SeededRandomness, time: TestTime): Environment {
  return {
    nowMs: () => clock.nowMs(),
    random: () => random.random(),
    after: (delayMs, run) => clock.after(delayMs, time.telling(run)),
    soon: (run) => {
      time.settle();
      clock.soon(time.telling(run));
    },
  };
}

/** What comes to the client may call code of the test. */
function told(subscriber: Subscriber, time: TestTime): Subscriber {
  return {
    onNoResponders: (handler) => subscriber.onNoResponders(time.telling(handler)),
    subscribe: (subject, take, queue) => subscriber.subscribe(subject, time.telling(take), queue),
    publish: (subject, bytes, reply) => subscriber.publish(subject, bytes, reply),
    close: () => subscriber.close(),
  };
}
