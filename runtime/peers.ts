/** The peers of a node, as its actors speak to them: what goes out and what comes in passes the gate. */
import type { PeerEffect, ServerId } from "./effects.ts";
import { OpenRequests } from "./open-requests.ts";
import type {
  Admission,
  Arrived,
  PeerGate,
  PeerLogLine,
  PeerSender,
  Transport,
  TransportOutcome,
} from "./transport.ts";

export type PeersOptions = {
  readonly gate: PeerGate | undefined;
  readonly transport: Transport | undefined;
  readonly nowMs: () => number;
  /** A message came for the actor; `request` when its sender waits for an answer. False: it is not taken. */
  readonly onMessage: (actor: string, received: ReceivedFromPeer) => boolean;
  /** A line of the gate for the log. */
  readonly onLog: (line: PeerLogLine) => void;
  readonly tell: (to: string, message: object) => void;
};

export type ReceivedFromPeer = {
  readonly kind: "received";
  readonly from: ServerId;
  readonly sender: PeerSender;
  readonly message: object;
  /** The number under which it is answered; undefined when its sender does not wait for an answer. */
  readonly request: number | undefined;
};

type Request = Extract<PeerEffect, { kind: "request" }>;

export class Peers {
  readonly #options: PeersOptions;
  readonly #requests = new OpenRequests();

  constructor(options: PeersOptions) {
    this.#options = options;
    options.transport?.onReceive((incoming) => {
      const { from, actor, bytes, answer } = incoming;
      const admitted = this.#admit({ from, actor, bytes, isAnswer: false });
      if (admitted === undefined) return;
      const { sender, message } = admitted;
      const request = answer === undefined ? undefined : this.#requests.add(answer);
      const isTaken = options.onMessage(actor, {
        kind: "received",
        from,
        sender,
        message,
        request,
      });
      if (!isTaken && request !== undefined) this.#requests.take(request);
    });
    options.transport?.onUnheard((by) => {
      for (const { to, message } of options.gate?.unheard(by) ?? []) options.tell(to, message);
    });
  }

  /** `onOutcome` is told how a request ended. */
  perform(effect: PeerEffect, onOutcome: (outcome: object) => void): void {
    const { transport } = this.#options;
    switch (effect.kind) {
      case "send":
        this.#seal(effect.message, (bytes) => transport?.send(effect.to, effect.actor, bytes));
        return;
      case "broadcast":
        this.#seal(effect.message, (bytes) => transport?.broadcast(effect.actor, bytes));
        return;
      case "answer":
        this.#seal(effect.message, (bytes) => this.#requests.take(effect.request)?.(bytes));
        return;
      default:
        this.#request(effect, onOutcome);
    }
  }

  #request(effect: Request, onOutcome: (outcome: object) => void): void {
    const { transport, gate } = this.#options;
    const { to, actor, tag, timeoutMs } = effect;
    const done = (outcome: TransportOutcome): void => {
      if (outcome.kind === "noResponders") {
        onOutcome({ kind: "noResponders", tag, to });
      } else if (outcome.kind === "timedOut") {
        onOutcome({ kind: "requestTimedOut", tag, to });
      } else {
        const admitted = this.#admit({ from: to, actor, bytes: outcome.bytes, isAnswer: true });
        if (admitted === undefined) return;
        const { sender, message } = admitted;
        onOutcome({ kind: "answered", tag, from: to, sender, message });
      }
    };
    const bytes = gate?.seal(effect.message);
    if (transport === undefined || bytes === undefined) done({ kind: "noResponders" });
    else transport.request(to, actor, bytes, timeoutMs, done);
  }

  #seal(message: object, use: (bytes: Uint8Array) => void): void {
    const bytes = this.#options.gate?.seal(message);
    if (bytes !== undefined) use(bytes);
  }

  #admit(arrived: Arrived): Extract<Admission, { kind: "taken" }> | undefined {
    const { gate, transport, nowMs, onLog } = this.#options;
    const admission = gate?.admit(arrived, nowMs());
    if (admission?.kind !== "refused") return admission;
    const { reply, log, tell } = admission;
    // No actor has the name that replies go to: the gate of the other side takes them in.
    if (reply !== undefined) transport?.send(arrived.from, "gate", reply);
    if (log !== undefined) onLog(log);
    if (tell !== undefined) this.#options.tell(tell.to, tell.message);
    return undefined;
  }
}
