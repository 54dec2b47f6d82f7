/**
 * A native client and its user. The client is the real one (`client/driver.ts` with all of `client/session/`) under the run's clocks,
 * over its subjects; the user asks and subscribes, and holds what the client says against the truth. When the session has ended the
 * user begins another one.
 */
import { errorOf } from "../../../client/failures.ts";
import type { Source } from "../../../client/streams/source.ts";
import { NativeViews } from "./native-views.ts";
import { SessionDriver } from "../../../client/driver.ts";
import type { Outcome, SessionState, StreamEnd } from "../../../client/session/messages.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { must } from "../checks/violation.ts";
import type { NodeClock } from "../../../runtime/testing/node-clock.ts";
import type { Random } from "../random.ts";
import { ENSEMBLE, type SubjectClient, type Subjects } from "../subjects.ts";
import type { ClientEnvironment, LastAnswer } from "./environment.ts";
import { whoOf } from "./identities.ts";
import { type Asked, checkOutcome, checkSaid } from "./native-asked.ts";
import { SimChannel } from "./native-channel.ts";
import { nativeRequest, requestText } from "./native-requests.ts";
import { NativeWitness, type Sent } from "./native-witness.ts";
import { ClientStreams, type StreamCounts, type StreamWish } from "./streams.ts";
import { Subscriber, type SubscriberOptions } from "./subscriber.ts";
import { closesSession, type SimRequest } from "./wire.ts";
import { Asker, rootsOf, type Workload } from "./workload.ts";

export type NativeOptions = {
  readonly environment: Omit<ClientEnvironment, "dial" | "nodes">;
  readonly subjects: Subjects;
  readonly random: Random;
  readonly workload: Workload;
  readonly counts: StreamCounts;
  /** Streams open at a time. */
  readonly streamsMax: number;
  /** Before a slow subscriber has taken what it was given, in the mean. */
  readonly grantMs: number;
};

const TRICKLE_THINK_MS = 400;
const GRANT_QUIET_MS = 5;
/** How often a view is opened, or left, when the user has thought. */
const VIEWS_SHARE = 0.02;
const AWAY_MS = 150;
const OWN_TIMEOUTS_MS = [200, 1000, 60_000];
const CANCEL_MS = 10;

export class NativeClient {
  readonly name: string;
  readonly workload: Workload;
  session:
    | { readonly id: SessionId; readonly password: Uint8Array; readonly timeoutMs: number }
    | undefined;
  quiet = false;
  answered = 0;
  readonly ended = false;
  readonly #options: NativeOptions;
  readonly #random: Random;
  readonly #asker: Asker;
  readonly #streams: ClientStreams;
  readonly #views: NativeViews;
  readonly #witness: NativeWitness;
  readonly #end: SubjectClient;
  readonly #roots: string[];
  /** How many changes may be under way to a stream, and how long a request may take. */
  readonly #credits: number;
  readonly #operationTimeoutMs: number;
  readonly #asked = new Map<number, Asked>();
  readonly #unsubscribe = new Map<number, () => void>();
  #channel: SimChannel | undefined;
  #driver: SessionDriver | undefined;
  #server: number | undefined;
  #isClosing = false;
  /** How many requests its driver was given, which counts them, too. */
  #requests = 0;

  constructor(name: string, options: NativeOptions) {
    const { environment, random, workload, counts } = options;
    this.name = name;
    this.workload = workload;
    this.#options = options;
    this.#random = random;
    this.#credits = random.pick([1, 4, 1024]);
    this.#operationTimeoutMs = random.pick([1000, 5000, 30_000]);
    // Its connections have no address that a list could name.
    const who = { ...whoOf(name, workload.proofs ?? []), address: undefined };
    this.#asker = new Asker(name, random, { ...workload, quotas: 0 });
    this.#streams = new ClientStreams(name, {
      ...{ truth: environment.truth, random, counts },
      reader: who,
    });
    this.#views = new NativeViews(name, {
      ...{ truth: environment.truth, random, reader: who },
      subscriber: this.#subscriberOptions(),
    });
    this.#roots = [...rootsOf(workload)];
    this.#witness = new NativeWitness({
      ...{ name, who, environment, counts, credits: this.#credits },
      user: {
        lastZxid: () => this.#driver?.lastZxid ?? ZXID_NONE,
        session: () => this.session,
        says: (id, sent) => {
          const asked = this.#asked.get(id);
          must(asked !== undefined || this.#isClosing, "exactly once", () => {
            return `${name}: says ${requestText(sent.request)}, for which nobody waits`;
          });
          if (asked === undefined) return;
          checkSaid(name, asked, sent);
          asked.sent = sent;
          this.#checkOrder(id, sent);
        },
        hasAnswers: (number) => {
          for (const [id, { request }] of this.#asked) {
            must(id > number, "exactly once", () => {
              return `${name}: has the answer to ${requestText(request)}, says the client`;
            });
          }
        },
        isAlive: () => environment.heard(this),
      },
    });
    this.#end = this.#subjectClient();
    options.subjects.join(this.#end);
    this.#later(random.random() * 200, () => this.#begin());
    this.#later(random.random() * 100, () => this.#think());
  }

  get clock(): NodeClock {
    return this.#options.environment.clock;
  }

  /** The node that it is attached at. */
  get server(): number | undefined {
    return this.#server;
  }

  get connected(): boolean {
    return this.#server !== undefined;
  }

  get pending(): number {
    return this.#asked.size;
  }

  /** The node takes no writes: none of what it may hold of this client, also of connections that the client has left. */
  expectRefusals(node: number): void {
    this.#witness.expectRefusals(node);
  }

  /** Its streams have told it everything. */
  get complete(): boolean {
    return this.#streams.complete && this.#views.complete;
  }

  /** Its streams have told what there is up to this zxid. */
  hasHeard(zxid: Zxid): boolean {
    return this.#streams.hasHeard(zxid);
  }

  /** Undefined: it is not connected. */
  get lastAnswer(): LastAnswer | undefined {
    return this.connected ? this.#witness.current?.answer : undefined;
  }

  get validForMs(): number | undefined {
    const driver = this.#driver;
    return driver === undefined ? undefined : driver.validUntilMs - this.clock.nowMs();
  }

  describe(): string {
    const where = this.#server === undefined ? "no connection" : `at node ${this.#server}`;
    return `${where}, ${this.#asked.size} pending, ${this.#driver?.lastProblem ?? "no session"}`;
  }

  /** Its connection to NATS breaks, for a moment. */
  move(): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    channel.turn(false);
    this.#later(this.#random.random() * AWAY_MS, () => channel.turn(true));
  }

  #subjectClient(): SubjectClient {
    const { environment } = this.#options;
    return {
      name: this.name,
      onBytes: (number, bytes, heard) => {
        environment.guard(() => this.#channel?.receive(number, bytes, heard));
      },
      onNoResponders: (number) => {
        environment.guard(() => this.#channel?.noResponders(number));
      },
      onAttached: (number, attachedAt, takesWrites) => {
        const attachment = this.#witness.attachmentOf(number);
        if (attachment === undefined) return;
        attachment.mayBeRefused ||= !takesWrites;
        environment.truth.attach(attachedAt, attachment);
      },
    };
  }

  #later(afterMs: number, run: () => void): () => void {
    const { clock, guard } = this.#options.environment;
    return clock.after(afterMs, () => guard(run));
  }

  #note(text: string): void {
    this.#options.environment.trace.note(this.name, text);
  }

  /** Begins a session. */
  #begin(): void {
    const { environment, subjects, workload } = this.#options;
    const random = this.#random;
    const { renewals, home, timeoutMs: sessionTimeoutMs, proofs = [] } = workload;
    const channel = new SimChannel({
      ...{ subjects, home, end: this.#end, witness: this.#witness },
      base: this.#channel?.last ?? 0,
      renewal: () => (renewals.length === 0 ? undefined : random.pick(renewals)),
    });
    this.#channel = channel;
    this.#isClosing = false;
    this.#requests = 0;
    this.#driver = new SessionDriver({
      channel,
      environment: {
        nowMs: () => environment.clock.nowMs(),
        random: () => random.random(),
        after: (delayMs, run) => this.#later(delayMs, run),
        soon: (run) => this.#later(0, run),
      },
      session: {
        ...{ ensemble: ENSEMBLE, sessionTimeoutMs, streamCredits: this.#credits },
        operationTimeoutMs: this.#operationTimeoutMs,
        proofs: proofs.map((text) => Buffer.from(text)),
      },
      onState: (state) => this.#turned(state),
    });
    for (const wish of this.#streams.standing()) this.#subscribe(wish);
  }

  #turned(state: SessionState): void {
    const { truth, counts } = this.#options.environment;
    switch (state.kind) {
      case "connecting":
        return;
      case "connected":
        this.#connected(state);
        return;
      case "reconnecting":
        this.#witness.leaves();
        this.#server = undefined;
        counts.reconnects += 1;
        this.#note(`leaves its gateway: ${state.reason}`);
        return;
      case "expired": {
        const { session } = this;
        must(session !== undefined && !truth.model.sessions.has(session.id), "ephemerals", () => {
          return `${this.name}: session 0x${session?.id.toString(16)} is told to be expired and lives`;
        });
        counts.expired += 1;
        this.#note("its session has expired");
        this.#over();
        return;
      }
      case "closed":
        must(this.#isClosing, "protocol", () => `${this.name}: closed, nobody asked for that`);
        this.#note("closed its session");
        this.#over();
        return;
      default:
        state satisfies never;
    }
  }

  #connected({ session, server }: Extract<SessionState, { readonly kind: "connected" }>): void {
    const { environment } = this.#options;
    const opened = this.#witness.connected();
    const known = this.session;
    must(opened.session === session && (known?.id ?? session) === session, "protocol", () => {
      return `${this.name}: another session`;
    });
    const seen = this.#driver?.lastZxid ?? ZXID_NONE;
    must(opened.zxid >= seen, "monotone reads", () => {
      return `${this.name}: attached at ${formatZxid(opened.zxid)}, it has seen ${formatZxid(seen)}`;
    });
    if (known === undefined) environment.counts.sessions += 1;
    const { password, timeoutMs } = opened;
    this.session = { id: session, password, timeoutMs };
    this.#server = server;
    environment.heard(this);
    this.#note(`attached at node ${server}, session 0x${session.toString(16)}`);
  }

  /** Nothing is waited for any more; another session follows. */
  #over(): void {
    this.#witness.leaves();
    this.#server = undefined;
    this.session = undefined;
    this.#driver = undefined;
    must(this.#asked.size === 0, "liveness", () => {
      return `${this.name}: the session is over, and ${this.#asked.size} requests have no answer`;
    });
    this.#unsubscribe.clear();
    this.#views.clear();
    this.#later(this.#random.random() * AWAY_MS, () => this.#begin());
  }

  #think(): void {
    const { environment, workload, streamsMax } = this.#options;
    const { thinkMs, outstandingMax } = workload;
    const waitMs = environment.budget.left <= 0 ? Math.max(thinkMs, TRICKLE_THINK_MS) : thinkMs;
    this.#later(this.#random.wait(waitMs), () => this.#think());
    if (this.quiet || this.#driver === undefined || this.#isClosing) return;
    if (this.#random.chance(0.05)) {
      if (this.#streams.count >= streamsMax) this.#leaveStream();
      else this.#subscribe(this.#streams.open(this.#driver.lastZxid));
    }
    if (this.#random.chance(VIEWS_SHARE)) this.#views.turn(this.#source(this.#driver));
    if (this.#asked.size >= outstandingMax) return;
    const root = this.#roots.shift();
    const requests = root === undefined ? this.#asker.next() : [this.#asker.create(root)];
    for (const request of requests) this.#ask(request);
  }

  #ask(request: SimRequest): void {
    const { environment } = this.#options;
    if (this.#driver === undefined || this.#isClosing) return;
    environment.budget.left -= 1;
    if (closesSession(request)) {
      this.#isClosing = true;
      this.#driver.close();
      return;
    }
    const random = this.#random;
    const own = random.chance(0.1) ? random.pick(OWN_TIMEOUTS_MS) : undefined;
    const cancel = this.#request(this.#driver, nativeRequest(request, random), own, (outcome) => {
      if (outcome.kind === "failed") return;
      this.answered += 1;
      const { result } = outcome.answer;
      if (result.kind === "created") this.#asker.created(result.path);
    });
    // Some are cancelled before they are sent, some while they are under way, most after their answer.
    if (random.chance(0.05)) this.#later(random.wait(CANCEL_MS), cancel);
  }

  /** Returns a function that cancels it. */
  #request(
    driver: SessionDriver,
    request: NativeRequest,
    timeoutMs: number | undefined,
    settle: (outcome: Outcome) => void,
  ): () => void {
    const { clock } = this.#options.environment;
    const asked: Asked = {
      request,
      askedMs: clock.nowMs(),
      timeoutMs: timeoutMs ?? this.#operationTimeoutMs,
      sent: undefined,
    };
    this.#requests += 1;
    const id = this.#requests;
    this.#asked.set(id, asked);
    const settled = (outcome: Outcome): void => {
      this.#settled(id, outcome);
      settle(outcome);
    };
    return driver.request(request, settled, { timeoutMs });
  }

  /** What live copies ask of the session. */
  #source(driver: SessionDriver): Source {
    const { clock } = this.#options.environment;
    return {
      clock: {
        nowMs: () => clock.nowMs(),
        random: () => this.#random.random(),
        after: (delayMs, run) => this.#later(delayMs, run),
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
        if (driver === this.#driver)
          this.#request(driver, { kind: "read", read }, undefined, settled);
        else driver.request({ kind: "read", read }, settled);
      },
      subscribe: (wish, observer) => driver.subscribe(wish, observer),
    };
  }

  #subscriberOptions(): Omit<SubscriberOptions, "stops" | "random" | "window"> {
    return {
      later: (afterMs, run) => this.#later(afterMs, run),
      // In the end it is as fast as it can: what waits for its credits is to come within the bound.
      takesMs: () => (this.quiet ? GRANT_QUIET_MS : this.#options.grantMs),
    };
  }

  /** What was asked before is said before, also on a further connection. */
  #checkOrder(id: number, { attachment }: Sent): void {
    for (const [other, { request, sent }] of this.#asked) {
      if (other >= id) return;
      must(sent?.attachment === attachment, "session order", () => {
        return `${this.name}: says request ${id} before ${other}, ${requestText(request)}`;
      });
    }
  }

  #settled(id: number, outcome: Outcome): void {
    const asked = this.#asked.get(id);
    must(asked !== undefined, "exactly once", () => `${this.name}: request ${id} is settled again`);
    this.#asked.delete(id);
    const nowMs = this.#options.environment.clock.nowMs();
    checkOutcome(this.name, asked, outcome, nowMs);
    if (outcome.kind === "failed") {
      this.#note(`request ${id} fails: ${outcome.failure.kind}, ${outcome.maybeApplied}`);
    }
  }

  #subscribe({ stream, path, recursive, after }: StreamWish): void {
    const driver = this.#driver;
    if (driver === undefined) return;
    const from = after === driver.lastZxid ? undefined : after;
    const subscriber = new Subscriber(`${this.name}: stream ${stream}`, {
      ...{ random: this.#random, window: this.#credits, ...this.#subscriberOptions() },
      stops: () => this.#streams.stops(stream),
    });
    const unsubscribe = driver.subscribe(
      { path, recursive, after: from },
      {
        portion: (changes, through, taken) => {
          this.#streams.changes(stream, { changes, through });
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
    const stream = this.#streams.close();
    if (stream === undefined) return;
    this.#unsubscribe.get(stream)?.();
    this.#unsubscribe.delete(stream);
  }

  /** A stream that ends with its session goes on in the next one. */
  #streamEnded(stream: number, end: StreamEnd): void {
    this.#unsubscribe.delete(stream);
    if (end.kind === "compacted") this.#streams.compacted(stream, end.oldest);
    const isRight = end.kind !== "refused" && end.kind !== "tooMany";
    must(isRight, "change streams", () => `${this.name}: stream ${stream} is refused`);
  }
}
