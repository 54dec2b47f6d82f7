/**
 * The transport over NATS. Whoever opens it names its subjects; the tokens behind them are
 *
 *   <id>.<actor>          to one node
 *   <actor>               to every other node
 *   <id>.<nonce>.<n>      the answer to request n of that node's process
 *
 * The sender travels in NATS' reply field, so the payload is the message and nothing else: the field holds `f.<id>`, or
 * for a request the subject of its answer. A message to one node that is no request names `s<to>` in place of the number of a
 * request: nobody answers it, but NATS says there at once if nobody listens. For a fragment, `.<message>.<index>.<count>` follows
 * (`fragments.ts`).
 */
import { randomBytes } from "node:crypto";
import type { Msg } from "@nats-io/transport-node";
import type { Observable } from "rxjs";
import type { ServerId } from "../effects.ts";
import type { Incoming, Transport, TransportOutcome, TransportStatus } from "../transport.ts";
import { type Fragment, NATS_REASSEMBLY, readFragmentTokens, Reassembler } from "./fragments.ts";
import { type NatsLink, type NatsLog, type NatsOptions, openLink } from "./link.ts";

/** The beginnings of the subjects, each with its last dot. */
export type NatsSubjects = {
  readonly toNode: string;
  readonly toAll: string;
  readonly answers: string;
};

export type NatsTransportOptions = NatsOptions & {
  readonly subjects: NatsSubjects;
  readonly id: ServerId;
  /** Only the NATS server keeps strangers from sending as a node: so a warning is logged if the server lets everybody in. */
  readonly isUnprotected?: boolean;
  /** Others than nodes may ask something here. */
  readonly questions?: Questions;
};

export type Questions = {
  readonly subjects: readonly string[];
  /** The beginning of the subjects to which answers may be published. */
  readonly answers: string;
  readonly onQuestion: (bytes: Uint8Array, answer: (bytes: Uint8Array) => void) => void;
};

const OPEN_TO_STRANGERS = [
  "natsOpenToStrangers",
  {
    problem: "the NATS server lets everybody in, so everybody who reaches it can speak as a node",
    hint: "give it users (nats.conf), or the nodes a key (--peer-key-file)",
  },
] as const;

type Waiting = {
  /** The node that was asked. An answer of any other node is ignored. */
  readonly to: ServerId;
  readonly done: (outcome: TransportOutcome) => void;
  readonly timer: NodeJS.Timeout;
};

/** The largest number of a node, as of ZooKeeper's `myid`. It also bounds for how many senders a stranger's fragments are kept. */
const SERVER_ID_MAX = 255;
const PLAIN = "f.";
/** Begins the token in place of a request's number where nobody waits for an answer; the receiver's id follows. */
const SENT = "s";

/** Rejects with a `NatsError`. Afterwards a lost connection only shows in `status$`. */
export async function connectNats(options: NatsTransportOptions): Promise<Transport> {
  const link = await openLink(options);
  const transport = new NatsTransport(link, options);
  try {
    await link.subscribed();
    if (options.isUnprotected === true && link.isOpen) options.log?.("warn", ...OPEN_TO_STRANGERS);
  } catch (error) {
    await link.close();
    throw error;
  }
  return transport;
}

class NatsTransport implements Transport {
  readonly status$: Observable<TransportStatus>;
  readonly #link: NatsLink;
  readonly #subjects: NatsSubjects;
  readonly #sender: string;
  /** The subject of answers to this process, without the number of the request. */
  readonly #answers: string;
  readonly #log: NatsLog;
  readonly #waiting = new Map<string, Waiting>();
  readonly #reassembler = new Reassembler(NATS_REASSEMBLY, () => performance.now());
  #handler: ((incoming: Incoming) => void) | undefined;
  #unheard: ((to: ServerId) => void) | undefined;
  #requests = 0;

  constructor(link: NatsLink, options: NatsTransportOptions) {
    const nonce = randomBytes(9).toString("base64url");
    this.#link = link;
    this.#subjects = options.subjects;
    this.#sender = `${PLAIN}${options.id}`;
    this.#answers = `${this.#subjects.answers}${options.id}.${nonce}.`;
    this.#log = options.log ?? (() => undefined);
    this.status$ = link.status.asObservable();
    const direct = `${this.#subjects.toNode}${options.id}.`;
    const all = this.#subjects.toAll;
    link.subscribe(`${direct}*`, (message) => this.#receive(message, direct.length));
    link.subscribe(`${all}*`, (message) => this.#receive(message, all.length));
    link.subscribe(`${this.#answers}>`, (message) => this.#answered(message));
    if (options.questions !== undefined) this.#hearQuestions(options.questions);
  }

  #hearQuestions({ subjects, answers, onQuestion }: Questions): void {
    for (const subject of subjects) {
      this.#link.subscribe(subject, ({ data, reply }) => {
        // Whoever asks names the subject of the answer: nothing may be published where nodes or clients listen.
        if (reply?.startsWith(answers) !== true) return;
        onQuestion(data, (bytes) => this.#publish(reply, bytes, this.#sender));
      });
    }
  }

  onReceive(handler: (incoming: Incoming) => void): void {
    this.#handler = handler;
  }

  onUnheard(handler: (to: ServerId) => void): void {
    this.#unheard = handler;
  }

  send(to: ServerId, actor: string, bytes: Uint8Array): void {
    const subject = `${this.#subjects.toNode}${to}.${actor}`;
    this.#publish(subject, bytes, `${this.#answers}${SENT}${to}`);
  }

  broadcast(actor: string, bytes: Uint8Array): void {
    this.#publish(`${this.#subjects.toAll}${actor}`, bytes, this.#sender);
  }

  request(
    to: ServerId,
    actor: string,
    bytes: Uint8Array,
    timeoutMs: number,
    done: (outcome: TransportOutcome) => void,
  ): void {
    this.#requests += 1;
    const number = String(this.#requests);
    const timer = setTimeout(() => this.#finish(number, { kind: "timedOut" }), timeoutMs);
    this.#waiting.set(number, { to, done, timer });
    this.#publish(`${this.#subjects.toNode}${to}.${actor}`, bytes, this.#answers + number);
  }

  publish(subject: string, bytes: Uint8Array): void {
    this.#publish(subject, bytes, this.#sender);
  }

  async close(): Promise<void> {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#handler = undefined;
    this.#unheard = undefined;
    await this.#link.close();
  }

  #publish(subject: string, bytes: Uint8Array, sender: string): void {
    this.#link.publish(subject, bytes, sender, sender);
  }

  #receive(message: Msg, prefixLength: number): void {
    const reply = message.reply ?? "";
    const origin = reply.startsWith(PLAIN)
      ? readOrigin(reply.slice(PLAIN.length).split("."), 1)
      : this.#readRequest(reply);
    if (origin === undefined) {
      this.#log("warn", "messageWithoutSender", { subject: message.subject });
      return;
    }
    const bytes = this.#whole(origin, message.data);
    if (bytes === undefined) return;
    const actor = message.subject.slice(prefixLength);
    const answerTo = origin.answerTo;
    this.#handler?.({
      from: origin.from,
      actor,
      bytes,
      answer:
        answerTo === undefined
          ? undefined
          : (answer) => this.#publish(answerTo, answer, this.#sender),
    });
  }

  #answered(message: Msg): void {
    const number = message.subject.slice(this.#answers.length).split(".", 1)[0] ?? "";
    if (message.data.length === 0 && message.headers?.code === 503) {
      if (number.startsWith(SENT)) this.#unheard?.(Number(number.slice(SENT.length)) as ServerId);
      else this.#finish(number, { kind: "noResponders" });
      return;
    }
    const origin = readOrigin((message.reply ?? "").slice(PLAIN.length).split("."), 1);
    if (origin === undefined || origin.from !== this.#waiting.get(number)?.to) return;
    const bytes = this.#whole(origin, message.data);
    if (bytes !== undefined) this.#finish(number, { kind: "answered", bytes });
  }

  #finish(number: string, outcome: TransportOutcome): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#waiting.delete(number);
    clearTimeout(waiting.timer);
    waiting.done(outcome);
  }

  #whole(origin: Origin, bytes: Uint8Array): Uint8Array | undefined {
    if (origin.fragment === undefined) return bytes;
    return this.#reassembler.add(origin.process, { ...origin.fragment, bytes });
  }

  /** Reads a reply subject of a request, or of a message to one node: `<id>.<nonce>.<number>`, perhaps with a fragment's tokens. */
  #readRequest(reply: string): Origin | undefined {
    const prefix = this.#subjects.answers;
    if (!reply.startsWith(prefix)) return undefined;
    const tokens = reply.slice(prefix.length).split(".");
    const origin = readOrigin(tokens, 3);
    if (origin === undefined || tokens[2]?.startsWith(SENT) === true) return origin;
    return { ...origin, answerTo: prefix + tokens.slice(0, 3).join(".") };
  }
}

type Origin = {
  readonly from: ServerId;
  /** Fragments of the same process belong together. */
  readonly process: string;
  readonly fragment: Omit<Fragment, "bytes"> | undefined;
  readonly answerTo: string | undefined;
};

/** Reads tokens that start with the sender's id. Those of a fragment come after the first `length` tokens. */
function readOrigin(tokens: readonly string[], length: number): Origin | undefined {
  if (!/^\d{1,5}$/.test(tokens[0] ?? "")) return undefined;
  const id = Number(tokens[0]);
  if (id > SERVER_ID_MAX) return undefined;
  const from = id as ServerId;
  if (tokens.length === length) {
    return { from, process: "", fragment: undefined, answerTo: undefined };
  }
  const fragment = readFragmentTokens(tokens.slice(length));
  if (fragment === undefined) return undefined;
  return { from, process: String(from), fragment, answerTo: undefined };
}
