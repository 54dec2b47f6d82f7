/** A node's answers to operators who ask over NATS: how it is, that it hands leadership over, that it starts again. */
import { randomBytes } from "node:crypto";
import type { HandoverOutcome } from "../../actors/log-sync/handover/messages.ts";
import type { EventName } from "../../protocol/events.ts";
import type { ServerId } from "../../protocol/ids.ts";
import {
  OPERATOR_CHALLENGES_MAX,
  OPERATOR_QUESTIONS_MAX,
  OPERATOR_REASON_LENGTH_MAX,
} from "../../protocol/limits.ts";
import {
  type NodeStatus,
  type OperatorAnswer,
  type OperatorRequest,
  readOperatorRequest,
  splitOperatorText,
} from "../../protocol/operator.ts";
import type { EventDetail, LogLevel } from "../../runtime/effects.ts";
import { hasRightTag, type SealOptions, tagFor } from "./seal.ts";

/** What can be asked of a node. */
export type OperatedNode = {
  status(): Promise<NodeStatus>;
  transferLeadership(to: ServerId | undefined): Promise<HandoverOutcome>;
  /** Begins to stop, so that its supervisor starts it again. Returns why it does not; undefined: it does. */
  restart(): string | undefined;
};

export type OperatorDeskOptions = SealOptions & {
  readonly node: OperatedNode;
  readonly say: (level: LogLevel, event: EventName, detail: EventDetail) => void;
  readonly nowMs: () => number;
};

/** For how long a challenge is good. */
const CHALLENGE_MS = 60_000;
/** After this time a refusal is logged again. */
const SAY_AGAIN_MS = 60_000;

export class OperatorDesk {
  readonly #options: OperatorDeskOptions;
  /** Maps a challenge that may still be used to when it was given. */
  readonly #challenges = new Map<string, number>();
  #open = 0;
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(options: OperatorDeskOptions) {
    this.#options = options;
  }

  /** `reply` is called once, or not at all if the question is none or there are too many. */
  async hear(bytes: Uint8Array, reply: (answer: Uint8Array) => void): Promise<void> {
    const given = splitOperatorText(bytes);
    const request = given && readOperatorRequest(given.json);
    if (given === undefined || request === undefined) return this.#refuse("it is no question");
    if (!hasRightTag(this.#options, "toNode", given)) {
      return this.#refuse("it has no tag, or a wrong one: use the nodes' --peer-key-file");
    }
    if (this.#open >= OPERATOR_QUESTIONS_MAX) return;
    this.#open += 1;
    try {
      const json = JSON.stringify(await this.#answer(request));
      const tag = tagFor(this.#options, "toOperator", json);
      reply(new TextEncoder().encode(`${tag} ${json}`));
    } finally {
      this.#open -= 1;
    }
  }

  async #answer(request: OperatorRequest): Promise<OperatorAnswer> {
    const { node, say } = this.#options;
    const { asked, kind } = request;
    if (kind === "status") {
      return { kind, asked, ...(await node.status()), challenge: this.#newChallenge() };
    }
    if (!this.#takeChallenge(request.challenge)) {
      const reason = "the request is late, or was made twice, or is for an earlier process";
      return { kind: "refused", asked, reason };
    }
    say("info", "operatorCommand", { command: kind });
    if (kind === "restart") {
      const reason = node.restart();
      return reason === undefined
        ? { kind: "restarting", asked }
        : { kind: "refused", asked, reason };
    }
    const outcome = await node.transferLeadership(request.to);
    if (outcome.kind === "failed") {
      const reason = outcome.reason.slice(0, OPERATOR_REASON_LENGTH_MAX);
      return { kind: "refused", asked, reason };
    }
    const { from, to, tookMs, pausedMs } = outcome;
    return { kind: "transferred", asked, from, to, tookMs, pausedMs };
  }

  #newChallenge(): string {
    const challenge = randomBytes(18).toString("base64url");
    this.#challenges.set(challenge, this.#options.nowMs());
    // Insertion order: the oldest is first.
    const [oldest] = this.#challenges.keys();
    if (this.#challenges.size > OPERATOR_CHALLENGES_MAX && oldest !== undefined) {
      this.#challenges.delete(oldest);
    }
    return challenge;
  }

  #takeChallenge(challenge: string): boolean {
    const givenMs = this.#challenges.get(challenge);
    this.#challenges.delete(challenge);
    return givenMs !== undefined && this.#options.nowMs() - givenMs <= CHALLENGE_MS;
  }

  #refuse(reason: string): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#saidMs < SAY_AGAIN_MS) return;
    this.#saidMs = nowMs;
    this.#options.say("warn", "operatorRefused", { reason });
  }
}
