/**
 * The transport over NATS. Subjects below `zooid.<ensemble>`:
 *
 *   peer.<id>.<actor>          to one node
 *   all.<actor>                to every other node
 *   answer.<id>.<nonce>.<n>    the answer to request n of that node's process
 *
 * The sender travels in NATS' reply field, so the payload is the message and nothing else: `f.<id>`, or of a request the
 * subject of its answer. A fragment has `.<message>.<index>.<count>` behind it.
 */
import { randomBytes } from "node:crypto";
import type { Msg } from "@nats-io/transport-node";
import type { Observable } from "rxjs";
import type { PeerId } from "../effects.ts";
import type { Incoming, Transport, TransportOutcome, TransportStatus } from "../transport.ts";
import { type Fragment, Reassembler } from "./fragments.ts";
import { NatsError } from "./errors.ts";
import {
  MESSAGE_BYTES_MAX,
  type NatsLink,
  type NatsLog,
  type NatsOptions,
  openLink,
} from "./link.ts";

export type NatsTransportOptions = Omit<NatsOptions, "name"> & {
  /** Token of the subjects: letters, digits, `-` and `_`. */
  readonly ensemble: string;
  readonly id: PeerId;
  /** Nodes do not sign their messages: only the NATS server keeps strangers out. If it lets everybody in, that is logged. */
  readonly isUnprotected?: boolean;
  /** Default `zooid <ensemble> <id>`. */
  readonly name?: string;
};

const OPEN_TO_STRANGERS = [
  "natsOpenToStrangers",
  {
    problem: "the NATS server lets everybody in, so everybody who reaches it can speak as a node",
    hint: "give it users (nats.conf), or the nodes a key (--peer-key-file)",
  },
] as const;

type Waiting = {
  /** The node that was asked. An answer of another node is ignored. */
  readonly to: PeerId;
  readonly done: (outcome: TransportOutcome) => void;
  readonly timer: NodeJS.Timeout;
};

/** The largest id, as in ZooKeeper. It also bounds for how many senders a stranger's fragments are kept. */
const PEER_ID_MAX = 255;
/** Fragments of one message: enough for the largest one with a server that takes a kilobyte at once. */
const FRAGMENTS_MAX = 65_536;
const FRAGMENT_IDLE_MS = 10_000;
const PLAIN = "f.";

/** Rejects with a `NatsError`. Afterwards a lost connection only shows in `status$`. */
export async function connectNats(options: NatsTransportOptions): Promise<Transport> {
  const { ensemble, id } = options;
  checkEnsemble(ensemble);
  const link = await openLink({ ...options, name: options.name ?? `zooid ${ensemble} ${id}` });
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

/** Throws a `NatsError` unless the name can be one token of a subject. */
export function checkEnsemble(ensemble: string): void {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(ensemble)) return;
  throw new NatsError(
    "ZOOID_NATS_OPTIONS",
    `"${ensemble}" cannot name an ensemble: use 1 to 64 letters, digits, - and _`,
  );
}

class NatsTransport implements Transport {
  readonly status$: Observable<TransportStatus>;
  readonly #link: NatsLink;
  readonly #root: string;
  readonly #sender: string;
  /** Subject of this process' answers, up to the request's number. */
  readonly #answers: string;
  readonly #log: NatsLog;
  readonly #waiting = new Map<string, Waiting>();
  readonly #reassembler = new Reassembler(
    { bytesMax: MESSAGE_BYTES_MAX, idleMs: FRAGMENT_IDLE_MS },
    () => performance.now(),
  );
  #handler: ((incoming: Incoming) => void) | undefined;
  #requests = 0;

  constructor(link: NatsLink, options: NatsTransportOptions) {
    const nonce = randomBytes(9).toString("base64url");
    this.#link = link;
    this.#root = `zooid.${options.ensemble}.`;
    this.#sender = `${PLAIN}${options.id}`;
    this.#answers = `${this.#root}answer.${options.id}.${nonce}.`;
    this.#log = options.log ?? (() => undefined);
    this.status$ = link.status.asObservable();
    const direct = `${this.#root}peer.${options.id}.`;
    const all = `${this.#root}all.`;
    link.subscribe(`${direct}*`, (message) => this.#receive(message, direct.length));
    link.subscribe(`${all}*`, (message) => this.#receive(message, all.length));
    link.subscribe(`${this.#answers}>`, (message) => this.#answered(message));
  }

  onReceive(handler: (incoming: Incoming) => void): void {
    this.#handler = handler;
  }

  send(to: PeerId, actor: string, bytes: Uint8Array): void {
    this.#publish(`${this.#root}peer.${to}.${actor}`, bytes, this.#sender);
  }

  broadcast(actor: string, bytes: Uint8Array): void {
    this.#publish(`${this.#root}all.${actor}`, bytes, this.#sender);
  }

  request(
    to: PeerId,
    actor: string,
    bytes: Uint8Array,
    timeoutMs: number,
    done: (outcome: TransportOutcome) => void,
  ): void {
    this.#requests += 1;
    const number = String(this.#requests);
    const timer = setTimeout(() => this.#finish(number, { kind: "timedOut" }), timeoutMs);
    this.#waiting.set(number, { to, done, timer });
    this.#publish(`${this.#root}peer.${to}.${actor}`, bytes, this.#answers + number);
  }

  publish(subject: string, bytes: Uint8Array): void {
    this.#publish(subject, bytes, this.#sender);
  }

  async close(): Promise<void> {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#handler = undefined;
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
      this.#finish(number, { kind: "noResponders" });
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

  /** Reads the reply subject of a request, `<root>answer.<id>.<nonce>.<number>`, perhaps with the tokens of a fragment behind it. */
  #readRequest(reply: string): Origin | undefined {
    const prefix = `${this.#root}answer.`;
    if (!reply.startsWith(prefix)) return undefined;
    const tokens = reply.slice(prefix.length).split(".");
    const origin = readOrigin(tokens, 3);
    if (origin === undefined) return undefined;
    return { ...origin, answerTo: prefix + tokens.slice(0, 3).join(".") };
  }
}

type Origin = {
  readonly from: PeerId;
  /** Fragments of one process belong together. */
  readonly process: string;
  readonly fragment: Omit<Fragment, "bytes"> | undefined;
  readonly answerTo: string | undefined;
};

/** Tokens that start with the sender's id; those of a fragment come after the first `length`. */
function readOrigin(tokens: readonly string[], length: number): Origin | undefined {
  if (!/^\d{1,5}$/.test(tokens[0] ?? "")) return undefined;
  const from = Number(tokens[0]);
  if (from > PEER_ID_MAX) return undefined;
  if (tokens.length === length) {
    return { from, process: "", fragment: undefined, answerTo: undefined };
  }
  const [message, indexToken, countToken] = tokens.slice(length);
  const index = Number(indexToken);
  const count = Number(countToken);
  const counted = Number.isInteger(count) && count <= FRAGMENTS_MAX;
  const valid = Number.isInteger(index) && index >= 0 && counted && index < count;
  if (message === undefined || !valid) return undefined;
  return { from, process: String(from), fragment: { message, index, count }, answerTo: undefined };
}
