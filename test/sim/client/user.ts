/**
 * A user of the package's own client, over whichever protocol: it asks and subscribes, takes changes at once, slowly or at some time no
 * longer, and holds what the client says against the truth. When its session has ended it begins another one. The client is the real
 * driver with all of the session, under the run's clocks; over what it speaks, and who else sees that, is for the two kinds of users.
 */
import { errorOf } from "../../../client/failures.ts";
import type { Outcome, SessionState, StreamEnd } from "../../../client/session/messages.ts";
import type { Driver, Environment } from "../../../client/session-driver.ts";
import type { Source } from "../../../client/streams/source.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { must } from "../checks/violation.ts";
import type { NodeClock } from "../../../runtime/testing/node-clock.ts";
import type { Random } from "../random.ts";
import type { ClientEnvironment, LastAnswer } from "./environment.ts";
import type { SimWho } from "./identities.ts";
import { LiveViews } from "./live-views.ts";
import { changedPaths, childStats, nativeRequest, wideNativePath } from "./native-requests.ts";
import type { StreamWish } from "./streams.ts";
import { Subscriber, type SubscriberOptions } from "./subscriber.ts";
import { closesSession, type SimRequest } from "./wire.ts";
import { Asker, rootsOf, type Workload } from "./workload.ts";

export type UserOptions = {
  readonly environment: Omit<ClientEnvironment, "dial" | "nodes">;
  readonly random: Random;
  readonly workload: Workload;
  /** Streams open at a time. */
  readonly streamsMax: number;
  /** Before a slow subscriber has taken what it was given, in the mean. */
  readonly grantMs: number;
  /** Who it is to the nodes. */
  readonly who: SimWho;
  /** Its streams tell every change. Otherwise several changes of a znode may come as the last of them. */
  readonly everyChange: boolean;
  /** It often asks again at once for what it does not know to be done, as people and recipes do. */
  readonly asksAgain: boolean;
  /** Reads that native clients alone have are asked for. */
  readonly isNative: boolean;
};

/** From how far back a client asks first where something has changed. */
const RECENT_CHANGES = 30;

export type AnyDriver = Pick<
  Driver<never, never>,
  "lastZxid" | "lastProblem" | "validUntilMs" | "request" | "subscribe" | "close"
>;

/** A request without an outcome. */
export type Question = {
  readonly request: NativeRequest;
  /** By the client's own clock. */
  readonly askedMs: number;
  /** How long it may take. */
  readonly timeoutMs: number;
};

/** What a user's streams are told is held to this. */
export type StreamChecks = {
  readonly count: number;
  /** They have told everything there is. */
  readonly complete: boolean;
  readonly open: (seen: Zxid) => StreamWish;
  /** Those that are not over: they go on from where they stand. */
  readonly standing: () => readonly StreamWish[];
  readonly stops: (stream: number) => void;
  readonly close: () => number | undefined;
  readonly changes: (
    stream: number,
    of: { readonly changes: readonly Change[]; readonly through: Zxid },
  ) => void;
  readonly compacted: (stream: number, oldest: Zxid) => void;
};

const TRICKLE_THINK_MS = 400;
const GRANT_QUIET_MS = 5;
/** How often a view is opened, or left, when the user has thought. */
const VIEWS_SHARE = 0.02;
export const AWAY_MS = 150;
const OWN_TIMEOUTS_MS = [200, 1000, 60_000];
const CANCEL_MS = 10;
const AGAIN_SHARE = 0.5;

export abstract class ClientUser<Asked extends Question = Question> {
  readonly name: string;
  readonly workload: Workload;
  session:
    | { readonly id: SessionId; readonly password: Uint8Array; readonly timeoutMs: number }
    | undefined;
  quiet = false;
  answered = 0;
  readonly ended = false;
  /** How many changes may be under way to a stream, and how long a request may take. */
  protected readonly credits: number;
  protected readonly operationTimeoutMs: number;
  protected readonly random: Random;
  protected readonly environment: UserOptions["environment"];
  protected readonly asked: Map<number, Asked> = new Map();
  protected driver: AnyDriver | undefined;
  protected isClosing = false;
  protected abstract readonly streams: StreamChecks;
  readonly #options: UserOptions;
  readonly #asker: Asker;
  readonly #views: LiveViews;
  readonly #roots: string[];
  readonly #unsubscribe = new Map<number, () => void>();
  #server: number | undefined;
  /** How many requests its driver was given, which counts them, too. */
  /** How far it knows what has changed. */
  #changesThrough: Zxid | undefined;
  #requests = 0;

  constructor(name: string, options: UserOptions) {
    const { environment, random, workload, who, everyChange } = options;
    this.name = name;
    this.workload = workload;
    this.environment = environment;
    this.random = random;
    this.#options = options;
    this.credits = random.pick([1, 4, 1024]);
    this.operationTimeoutMs = random.pick([1000, 5000, 30_000]);
    this.#asker = new Asker(name, random, { ...workload, quotas: 0 });
    this.#views = new LiveViews(name, {
      ...{ truth: environment.truth, random, reader: who, everyChange },
      subscriber: this.#subscriberOptions(),
    });
    this.#roots = [...rootsOf(workload)];
    this.later(random.random() * 200, () => this.#begin());
    this.later(random.random() * 100, () => this.#think());
  }

  get clock(): NodeClock {
    return this.environment.clock;
  }

  /** The node that it is attached at. */
  get server(): number | undefined {
    return this.#server;
  }

  get connected(): boolean {
    return this.#server !== undefined;
  }

  get pending(): number {
    return this.asked.size;
  }

  /** Its streams have told it everything. */
  get complete(): boolean {
    return this.streams.complete && this.#views.complete;
  }

  /** Undefined: it is not connected. */
  abstract get lastAnswer(): LastAnswer | undefined;

  get validForMs(): number | undefined {
    const { driver } = this;
    return driver === undefined ? undefined : driver.validUntilMs - this.clock.nowMs();
  }

  describe(): string {
    const where = this.#server === undefined ? "no connection" : `at node ${this.#server}`;
    return `${where}, ${this.asked.size} pending, ${this.driver?.lastProblem ?? "no session"}`;
  }

  /** Its connection breaks; `silently`: nobody tells its node. */
  abstract move(silently: boolean): void;

  /** Begins a session. */
  protected abstract begin(
    environment: Environment,
    onState: (state: SessionState) => void,
  ): AnyDriver;

  /** The client takes its connection for open. Returns the node that it is attached at. */
  protected abstract attached(state: Extract<SessionState, { readonly kind: "connected" }>): number;

  /** The client has given its connection up. */
  protected abstract left(): void;

  /** What is asked for is what this returns, in place of what can only be asked over the other protocol. */
  protected abstract ask(question: Question): Asked;

  protected abstract checkOutcome(asked: Asked, outcome: Outcome, nowMs: number): void;

  /** The stream is asked for with this zxid to begin after. Undefined: where the client stands. */
  protected abstract from(wish: StreamWish): Zxid | undefined;

  /** How many changes may be given to a subscriber and not taken. */
  protected abstract readonly window: number;

  protected later(afterMs: number, run: () => void): () => void {
    const { clock, guard } = this.environment;
    return clock.after(afterMs, () => guard(run));
  }

  protected note(text: string): void {
    this.environment.trace.note(this.name, text);
  }

  #begin(): void {
    const { environment, random } = this;
    this.isClosing = false;
    this.#requests = 0;
    const around: Environment = {
      nowMs: () => environment.clock.nowMs(),
      random: () => random.random(),
      after: (delayMs, run) => this.later(delayMs, run),
      soon: (run) => this.later(0, run),
    };
    this.driver = this.begin(around, (state) => this.#turned(state));
    for (const wish of this.streams.standing()) this.#subscribe(wish);
  }

  #turned(state: SessionState): void {
    const { truth, counts } = this.environment;
    switch (state.kind) {
      case "connecting":
        return;
      case "connected": {
        this.#server = this.attached(state);
        this.environment.heard(this);
        const { session } = state;
        this.note(`attached at node ${this.#server}, session 0x${session.toString(16)}`);
        return;
      }
      case "reconnecting":
        this.left();
        this.#server = undefined;
        counts.reconnects += 1;
        this.note(`leaves its gateway: ${state.reason}`);
        return;
      case "expired": {
        const { session } = this;
        must(session !== undefined && !truth.model.sessions.has(session.id), "ephemerals", () => {
          return `${this.name}: session 0x${session?.id.toString(16)} is told to be expired and lives`;
        });
        counts.expired += 1;
        this.note("its session has expired");
        this.#over();
        return;
      }
      case "closed":
        must(this.isClosing, "protocol", () => `${this.name}: closed, nobody asked for that`);
        this.note("closed its session");
        this.#over();
        return;
      default:
        state satisfies never;
    }
  }

  /** Nothing is waited for any more; another session follows. */
  #over(): void {
    this.left();
    this.#server = undefined;
    this.session = undefined;
    this.driver = undefined;
    // What is asked for while the end is told has its answer right behind that.
    this.later(0, () => {
      must(this.asked.size === 0, "liveness", () => {
        return `${this.name}: the session is over, and ${this.asked.size} requests have no answer`;
      });
    });
    this.#unsubscribe.clear();
    this.#views.clear();
    this.later(this.random.random() * AWAY_MS, () => this.#begin());
  }

  #think(): void {
    const { environment, workload, random, driver } = this;
    const { thinkMs, outstandingMax } = workload;
    const waitMs = environment.budget.left <= 0 ? Math.max(thinkMs, TRICKLE_THINK_MS) : thinkMs;
    this.later(random.wait(waitMs), () => this.#think());
    if (this.quiet || driver === undefined || this.isClosing) return;
    if (random.chance(0.05)) {
      if (this.streams.count >= this.#options.streamsMax) this.#leaveStream();
      else this.#subscribe(this.streams.open(driver.lastZxid));
    }
    if (random.chance(VIEWS_SHARE)) this.#views.turn(this.#source(driver));
    if (this.asked.size >= outstandingMax) return;
    const root = this.#roots.shift();
    const requests = root === undefined ? this.#asker.next() : [this.#asker.create(root)];
    for (const request of requests) this.#ask(request);
  }

  #ask(request: SimRequest): void {
    const { environment, random, driver } = this;
    if (driver === undefined || this.isClosing) return;
    environment.budget.left -= 1;
    if (closesSession(request)) {
      this.isClosing = true;
      driver.close();
      return;
    }
    const own = random.chance(0.1) ? random.pick(OWN_TIMEOUTS_MS) : undefined;
    const cancel = this.#request(driver, this.#requestOf(request, driver), own, (outcome) => {
      if (outcome.kind === "failed") return this.#failed(request, outcome);
      this.answered += 1;
      const { result } = outcome.answer;
      if (result.kind === "created") this.#asker.created(result.path);
      if (result.kind === "changed") this.#changesThrough = result.through;
    });
    // Some are cancelled before they are sent, some while they are under way, most after their answer.
    if (random.chance(0.05)) this.later(random.wait(CANCEL_MS), cancel);
  }

  #requestOf(request: SimRequest, { lastZxid }: AnyDriver): NativeRequest {
    const path = this.#options.isNative ? wideNativePath(request, this.#requests) : undefined;
    if (path === undefined) return nativeRequest(request, this.random);
    if (this.#requests % 4 === 0) return childStats(path);
    const recently = Math.max(ZXID_NONE, lastZxid - RECENT_CHANGES) as Zxid;
    return changedPaths(path, this.#changesThrough ?? recently);
  }

  #failed(request: SimRequest, { maybeApplied }: Extract<Outcome, { kind: "failed" }>): void {
    if (maybeApplied !== "unknown" || !this.#options.asksAgain) return;
    if (this.connected && this.random.chance(AGAIN_SHARE)) this.#ask(request);
  }

  /** Returns a function that cancels it. */
  #request(
    driver: AnyDriver,
    request: NativeRequest,
    timeoutMs: number | undefined,
    settle: (outcome: Outcome) => void,
  ): () => void {
    this.#requests += 1;
    const id = this.#requests;
    const asked = this.ask({
      request,
      askedMs: this.clock.nowMs(),
      timeoutMs: timeoutMs ?? this.operationTimeoutMs,
    });
    this.asked.set(id, asked);
    const settled = (outcome: Outcome): void => {
      this.#settled(id, outcome);
      settle(outcome);
    };
    return driver.request(asked.request, settled, { timeoutMs });
  }

  /** What live copies ask of the session. */
  #source(driver: AnyDriver): Source {
    const { clock } = this;
    return {
      clock: {
        nowMs: () => clock.nowMs(),
        random: () => this.random.random(),
        after: (delayMs, run) => this.later(delayMs, run),
      },
      // The model has no order of children, without which pages cannot be compared.
      hasPages: false,
      lastZxid: () => driver.lastZxid,
      ask: (read, { answered, failed }) => {
        const settled = (outcome: Outcome): void => {
          if (outcome.kind === "answered") answered(outcome.answer);
          else failed(errorOf(outcome.failure, outcome.maybeApplied));
        };
        // A copy that begins again once its session is over is refused there; the requests that are counted are those of the next one.
        if (driver === this.driver)
          this.#request(driver, { kind: "read", read }, undefined, settled);
        else driver.request({ kind: "read", read }, settled);
      },
      subscribe: (wish, observer) => driver.subscribe(wish, observer),
    };
  }

  #subscriberOptions(): Omit<SubscriberOptions, "stops" | "random" | "window"> {
    return {
      later: (afterMs, run) => this.later(afterMs, run),
      // In the end it is as fast as it can: what waits for its credits is to come within the bound.
      takesMs: () => (this.quiet ? GRANT_QUIET_MS : this.#options.grantMs),
    };
  }

  #settled(id: number, outcome: Outcome): void {
    const asked = this.asked.get(id);
    must(asked !== undefined, "exactly once", () => `${this.name}: request ${id} is settled again`);
    this.asked.delete(id);
    this.checkOutcome(asked, outcome, this.clock.nowMs());
    if (outcome.kind === "failed") {
      this.note(`request ${id} fails: ${outcome.failure.kind}, ${outcome.maybeApplied}`);
    }
  }

  #subscribe(wish: StreamWish): void {
    const { driver, random, streams } = this;
    if (driver === undefined) return;
    const { stream, path, recursive } = wish;
    const subscriber = new Subscriber(`${this.name}: stream ${stream}`, {
      ...{ random, window: this.window, ...this.#subscriberOptions() },
      stops: () => streams.stops(stream),
    });
    const unsubscribe = driver.subscribe(
      { path, recursive, after: this.from(wish) },
      {
        portion: (changes, through, taken) => {
          streams.changes(stream, { changes, through });
          subscriber.given(changes.length, taken);
        },
        ended: (end) => {
          subscriber.ended();
          this.#streamEnded(stream, end);
        },
      },
    );
    this.#unsubscribe.set(stream, unsubscribe);
  }

  #leaveStream(): void {
    const stream = this.streams.close();
    if (stream === undefined) return;
    this.#unsubscribe.get(stream)?.();
    this.#unsubscribe.delete(stream);
  }

  /** A stream that ends with its session goes on in the next one. */
  #streamEnded(stream: number, end: StreamEnd): void {
    this.#unsubscribe.delete(stream);
    if (end.kind === "compacted") this.streams.compacted(stream, end.oldest);
    const isRight = end.kind !== "refused" && end.kind !== "tooMany";
    must(isRight, "change streams", () => `${this.name}: stream ${stream} is refused`);
  }

  /** The latest zxid that its user has been told of. */
  protected get seen(): Zxid {
    return this.driver?.lastZxid ?? ZXID_NONE;
  }
}
