/** Asks the nodes of an ensemble over NATS, with the credentials of a node. */
import { randomBytes } from "node:crypto";
import type { ServerId } from "../../protocol/ids.ts";
import {
  type OperatorAnswer,
  type OperatorRequest,
  operatorText,
  readOperatorAnswer,
  splitOperatorText,
} from "../../protocol/operator.ts";
import { operatorAnswerPrefix, operatorSubject } from "../../protocol/subjects.ts";
import { type NatsLink, openLink } from "../../runtime/nats/link.ts";
import type { NodeConfig } from "../../server/config/node-config.ts";
import { natsOptions } from "../../server/nats-options.ts";
import { hasRightTag, type SealOptions, tagFor } from "../../server/operator/seal.ts";
import { readPeerKeys } from "../../server/peer-keys.ts";

export type Status = Extract<OperatorAnswer, { readonly kind: "status" }>;

/** How long nodes have to say how they are. */
const STATUS_MS = 1000;
/** A node answers a command when it is carried out, within this time. */
const COMMAND_MS = 25_000;

export class Nodes {
  readonly #link: NatsLink;
  readonly #seal: SealOptions;
  readonly #answersAt: string;
  /** By the token of the question. Undefined: nobody listens there. */
  readonly #waiting = new Map<string, (answer: OperatorAnswer | undefined) => void>();
  /** Some answer was not signed with this operator's key. */
  hasOtherKey = false;

  private constructor(link: NatsLink, seal: SealOptions) {
    this.#link = link;
    this.#seal = seal;
    this.#answersAt = `${operatorAnswerPrefix(seal.ensemble)}${newToken()}.`;
    link.subscribe(`${this.#answersAt}*`, ({ subject, data }) => {
      this.#take(subject.slice(this.#answersAt.length), data);
    });
  }

  /** Rejects with a `NatsError` or a `PeerKeysError`. */
  static async connect(config: NodeConfig): Promise<Nodes> {
    const { ensemble, peerKeyFile } = config;
    const keys = peerKeyFile === undefined ? undefined : readPeerKeys(peerKeyFile);
    const link = await openLink({ ...natsOptions(config), name: `zooid ${ensemble} operator` });
    const nodes = new Nodes(link, { ensemble, keys });
    await link.subscribed();
    return nodes;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** All nodes that answer, by their numbers. It waits until all members have, and not for long. */
  async statuses(): Promise<readonly Status[]> {
    const found = new Map<number, Status>();
    const asked = newToken();
    await this.#ask("all", { kind: "status", asked }, STATUS_MS, (answer) => {
      if (answer.kind === "status") found.set(answer.node, answer);
      const members = [...found.values()].flatMap((each) => each.members);
      return found.size > 0 && members.every((member) => found.has(member));
    });
    return [...found.values()].toSorted((one, other) => one.node - other.node);
  }

  /** Undefined: it does not answer. */
  async status(node: ServerId): Promise<Status | undefined> {
    let found: Status | undefined;
    await this.#ask(node, { kind: "status", asked: newToken() }, STATUS_MS, (answer) => {
      if (answer.kind === "status") found = answer;
      return true;
    });
    return found;
  }

  async transferLeadership(from: Status, to: ServerId | undefined): Promise<OperatorAnswer> {
    const { challenge } = from;
    return this.#command(from.node, {
      ...{ kind: "transferLeadership", asked: newToken(), challenge, to },
    });
  }

  async restart({ node, challenge }: Status): Promise<OperatorAnswer> {
    return this.#command(node, { kind: "restart", asked: newToken(), challenge });
  }

  async #command(node: ServerId, request: OperatorRequest): Promise<OperatorAnswer> {
    const { asked } = request;
    let found: OperatorAnswer = { kind: "refused", asked, reason: `node ${node} does not answer` };
    await this.#ask(node, request, COMMAND_MS, (answer) => {
      found = answer;
      return true;
    });
    return found;
  }

  /** Resolves when `isDone` has said so of an answer, or when the time is over. */
  #ask(
    to: ServerId | "all",
    request: OperatorRequest,
    withinMs: number,
    isDone: (answer: OperatorAnswer) => boolean,
  ): Promise<void> {
    const { asked } = request;
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(asked);
        resolve();
      };
      const timer = setTimeout(finish, withinMs);
      this.#waiting.set(asked, (answer) => {
        if (answer === undefined || isDone(answer)) finish();
      });
      const text = operatorText(tagFor(this.#seal, "toNode", JSON.stringify(request)), request);
      const subject = operatorSubject(this.#seal.ensemble, to);
      this.#link.publish(subject, new TextEncoder().encode(text), this.#answersAt + asked, "");
    });
  }

  #take(asked: string, bytes: Uint8Array): void {
    // So NATS says that nobody listens.
    if (bytes.length === 0) this.#waiting.get(asked)?.(undefined);
    const given = splitOperatorText(bytes);
    if (given === undefined) return;
    if (!hasRightTag(this.#seal, "toOperator", given)) {
      this.hasOtherKey = true;
      return;
    }
    const answer = readOperatorAnswer(given.json);
    // What it says is signed, the subject is not.
    if (answer?.asked === asked) this.#waiting.get(asked)?.(answer);
  }
}

function newToken(): string {
  return randomBytes(12).toString("base64url");
}
