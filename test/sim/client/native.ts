/** A user of the client over NATS: the real one (`client/driver.ts` with all of `client/session/`), over the run's subjects. */
import { SessionDriver } from "../../../client/driver.ts";
import type { Outcome, SessionState } from "../../../client/session/messages.ts";
import type { Environment } from "../../../client/session-driver.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { must } from "../checks/violation.ts";
import type { Random } from "../random.ts";
import { ENSEMBLE, type SubjectClient, type Subjects } from "../subjects.ts";
import type { ClientEnvironment, LastAnswer } from "./environment.ts";
import { whoOf } from "./identities.ts";
import { type Asked, checkOutcome, checkSaid } from "./native-asked.ts";
import { SimChannel } from "./native-channel.ts";
import { requestText } from "./native-requests.ts";
import { NativeWitness, type Sent } from "./native-witness.ts";
import { ClientStreams, type StreamCounts, type StreamWish } from "./streams.ts";
import { AWAY_MS, ClientUser, type Question } from "./user.ts";
import type { Workload } from "./workload.ts";

export type NativeOptions = {
  readonly environment: Omit<ClientEnvironment, "dial" | "nodes">;
  readonly subjects: Subjects;
  readonly random: Random;
  readonly workload: Workload;
  readonly counts: StreamCounts;
  readonly streamsMax: number;
  readonly grantMs: number;
};

export class NativeClient extends ClientUser<Asked> {
  protected readonly window: number;
  protected readonly streams: ClientStreams;
  readonly #options: NativeOptions;
  readonly #witness: NativeWitness;
  readonly #end: SubjectClient;
  #channel: SimChannel | undefined;

  constructor(name: string, options: NativeOptions) {
    const { environment, random, workload, counts } = options;
    // Its connections have no address that a list could name.
    const who = { ...whoOf(name, workload.proofs ?? []), address: undefined };
    super(name, { ...options, who, everyChange: true, asksAgain: false, isNative: true });
    const { credits } = this;
    this.window = credits;
    this.#options = options;
    this.streams = new ClientStreams(name, {
      ...{ truth: environment.truth, random, counts },
      reader: who,
    });
    this.#witness = new NativeWitness({
      ...{ name, who, environment, counts, credits },
      user: {
        lastZxid: () => this.seen,
        session: () => this.session,
        says: (id, sent) => {
          const asked = this.asked.get(id);
          must(asked !== undefined || this.isClosing, "exactly once", () => {
            return `${name}: says ${requestText(sent.request)}, for which nobody waits`;
          });
          if (asked === undefined) return;
          checkSaid(name, asked, sent);
          asked.sent = sent;
          this.#checkOrder(id, sent);
        },
        hasAnswers: (number) => {
          for (const [id, { request }] of this.asked) {
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
  }

  /** The node takes no writes: none of what it may hold of this client, also of connections that the client has left. */
  expectRefusals(node: number): void {
    this.#witness.expectRefusals(node);
  }

  /** Its streams have told what there is up to this zxid. */
  hasHeard(zxid: Zxid): boolean {
    return this.streams.hasHeard(zxid);
  }

  get lastAnswer(): LastAnswer | undefined {
    return this.connected ? this.#witness.current?.answer : undefined;
  }

  /** Its connection to NATS breaks, for a moment. */
  move(): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    channel.turn(false);
    this.later(this.random.random() * AWAY_MS, () => channel.turn(true));
  }

  protected begin(environment: Environment, onState: (state: SessionState) => void): SessionDriver {
    const { random, credits, operationTimeoutMs } = this;
    const { subjects, workload } = this.#options;
    const { renewals, home, timeoutMs: sessionTimeoutMs, proofs = [] } = workload;
    const channel = new SimChannel({
      ...{ subjects, home, end: this.#end, witness: this.#witness },
      base: this.#channel?.last ?? 0,
      renewal: () => (renewals.length === 0 ? undefined : random.pick(renewals)),
    });
    this.#channel = channel;
    return new SessionDriver({
      ...{ channel, environment, onState },
      session: {
        ...{ ensemble: ENSEMBLE, sessionTimeoutMs, operationTimeoutMs, streamCredits: credits },
        proofs: proofs.map((text) => Buffer.from(text)),
      },
    });
  }

  protected attached({
    session,
    server,
  }: Extract<SessionState, { readonly kind: "connected" }>): number {
    const opened = this.#witness.connected();
    const known = this.session;
    must(opened.session === session && (known?.id ?? session) === session, "protocol", () => {
      return `${this.name}: another session`;
    });
    const { seen } = this;
    must(opened.zxid >= seen, "monotone reads", () => {
      return `${this.name}: attached at ${formatZxid(opened.zxid)}, it has seen ${formatZxid(seen)}`;
    });
    must(server === opened.server, "protocol", () => `${this.name}: takes its node for ${server}`);
    if (known === undefined) this.environment.counts.sessions += 1;
    const { password, timeoutMs } = opened;
    this.session = { id: session, password, timeoutMs };
    return server;
  }

  protected left(): void {
    this.#witness.leaves();
  }

  protected ask(question: Question): Asked {
    return { ...question, sent: undefined };
  }

  protected checkOutcome(asked: Asked, outcome: Outcome, nowMs: number): void {
    checkOutcome(this.name, asked, outcome, nowMs);
  }

  protected from({ after }: StreamWish): Zxid | undefined {
    return after === this.seen ? undefined : after;
  }

  #subjectClient(): SubjectClient {
    const { environment } = this;
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

  /** What was asked before is said before, also on a further connection. */
  #checkOrder(id: number, { attachment }: Sent): void {
    for (const [other, { request, sent }] of this.asked) {
      if (other >= id) return;
      must(sent?.attachment === attachment, "session order", () => {
        return `${this.name}: says request ${id} before ${other}, ${requestText(request)}`;
      });
    }
  }
}
