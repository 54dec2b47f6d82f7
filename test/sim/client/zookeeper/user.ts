/** A user of the client over ZooKeeper's protocol: the real one (`client/zookeeper/driver.ts` with all of its session), over links. */
import type { Outcome, SessionState } from "../../../../client/session/messages.ts";
import type { Environment } from "../../../../client/session-driver.ts";
import { ZooKeeperDriver } from "../../../../client/zookeeper/driver.ts";
import type { NativeRequest } from "../../../../protocol/native-packing.ts";
import type { SessionId } from "../../../../protocol/ids.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import { type Attachment, textOf } from "../../checks/truth.ts";
import { must } from "../../checks/violation.ts";
import type { Link } from "../../links.ts";
import type { Random, Range } from "../../random.ts";
import type { ClientEnvironment, LastAnswer } from "../environment.ts";
import { type SimWho, whoOf } from "../identities.ts";
import { requestText } from "../native-requests.ts";
import { ClientUser, type Question } from "../user.ts";
import type { StreamWish } from "../streams.ts";
import type { Workload } from "../workload.ts";
import {
  type Asked,
  type Asker,
  type CallCounts,
  checkDenied,
  checkOutcome,
  maySay,
} from "./asked.ts";
import { hostsOf, nodeAt, SimTcpChannel } from "./channel.ts";
import { type FollowedCounts, FollowedStreams } from "./followed.ts";
import { type Said, ZooKeeperWitness } from "./witness.ts";

export type ZooKeeperUserOptions = {
  readonly environment: ClientEnvironment;
  readonly random: Random;
  readonly workload: Workload;
  readonly counts: FollowedCounts & CallCounts;
  readonly streamsMax: number;
  readonly grantMs: number;
  readonly delayMs: Range;
};

export class ZooKeeperUser extends ClientUser<Asked> {
  /** What is on its way when it has as much as it may have comes all the same. */
  protected readonly window: number = Number.POSITIVE_INFINITY;
  protected readonly streams: FollowedStreams;
  readonly #options: ZooKeeperUserOptions;
  readonly #who: SimWho;
  readonly #witness: ZooKeeperWitness;
  /** What the client has said is not done. */
  readonly #denied: Asked[] = [];
  #channel: SimTcpChannel | undefined;

  constructor(name: string, options: ZooKeeperUserOptions) {
    const { environment, random, workload, counts } = options;
    const who = whoOf(name, workload.proofs ?? []);
    super(name, { ...options, who, everyChange: false, asksAgain: true, isNative: false });
    this.#options = options;
    this.#who = who;
    this.streams = new FollowedStreams(name, { truth: environment.truth, random, counts });
    this.#witness = new ZooKeeperWitness({
      ...{ name, who, environment },
      user: {
        lastZxid: () => this.seen,
        session: () => this.session,
        granted: ({ id, password, timeoutMs }) => {
          this.session = { id: id as SessionId, password, timeoutMs };
        },
        says: (said) => this.#says(said),
        isAlive: () => environment.heard(this),
      },
    });
  }

  /** The latest zxid that it has seen. */
  get lastZxid(): Zxid {
    return this.seen;
  }

  get lastAnswer(): LastAnswer | undefined {
    return this.connected ? this.#witness.current?.answer : undefined;
  }

  override get complete(): boolean {
    for (const asked of this.#denied) checkDenied(this.#asker, asked);
    return super.complete;
  }

  attachmentOf(link: Link): Attachment | undefined {
    const { current } = this.#witness;
    return current?.link === link ? current.attachment : undefined;
  }

  move(silently: boolean): void {
    this.#channel?.breakOff(silently);
  }

  protected begin(
    environment: Environment,
    onState: (state: SessionState) => void,
  ): ZooKeeperDriver {
    const { name, random, credits: streamCredits, operationTimeoutMs } = this;
    const { environment: around, workload, delayMs } = this.#options;
    const { home, timeoutMs: sessionTimeoutMs, proofs = [], slowReader } = workload;
    this.#witness.forgets();
    const channel = new SimTcpChannel({
      ...{ name, random, delayMs, slowReader },
      ...{ environment: around, witness: this.#witness },
    });
    this.#channel = channel;
    return new ZooKeeperDriver({
      ...{ channel, environment, onState },
      session: {
        ...{ hosts: hostsOf(around.nodes, home, random), chroot: "", sasl: false },
        ...{ sessionTimeoutMs, operationTimeoutMs, streamCredits },
        proofs: proofs.map((text) => Buffer.from(text)),
      },
    });
  }

  protected attached(state: Extract<SessionState, { readonly kind: "connected" }>): number {
    const { session, timeoutMs, address = "" } = state;
    const known = this.session;
    const { current } = this.#witness;
    const isIt = known?.id === session && known.timeoutMs === timeoutMs;
    must(isIt && current?.attached === true, "protocol", () => `${this.name}: another session`);
    const [shown = ""] = (/[\d.]+(?=:\d+\)?$)/.exec(address) ?? []).slice(0, 1);
    const isThere = nodeAt(shown) === current.node;
    must(isThere, "protocol", () => `${this.name}: takes its node for ${address}`);
    return current.node;
  }

  protected left(): void {
    this.streams.lost();
  }

  protected ask(question: Question): Asked {
    return { ...question, request: asWished(question.request), said: [] };
  }

  protected checkOutcome(asked: Asked, outcome: Outcome, nowMs: number): void {
    const { counts } = this.#options;
    checkOutcome(this.#asker, asked, outcome, { nowMs, counts });
    const isDenied = outcome.kind === "failed" && outcome.maybeApplied === "no";
    if (isDenied) this.#denied.push(asked);
  }

  protected from({ stream, after }: StreamWish): Zxid | undefined {
    return this.streams.isExact(stream) ? after : undefined;
  }

  get #asker(): Asker {
    const { name } = this;
    return { name, who: this.#who, truth: this.environment.truth };
  }

  /** A write is said once, in the order in which it was asked for, and only while somebody waits for it. */
  #says(said: Said): void {
    const { request } = said;
    if (request.kind !== "write") return;
    const { operation } = request;
    if (this.isClosing && operation.kind === "closeSession") return;
    // The session itself asks for it, for streams that begin at a zxid which it has not come to. Users sync other paths.
    if (operation.kind === "sync" && operation.path === "/") return;
    const what = (): string => `${this.name}: says ${textOf(request.operation)}`;
    for (const asked of this.asked.values()) {
      if (maySay(asked, said)) {
        asked.said.push(said);
        return;
      }
      const isWaiting = asked.request.kind === "write" && asked.said.length === 0;
      must(!isWaiting, "session order", () => `${what()} before ${requestText(asked.request)}`);
    }
    must(false, "exactly once", () => `${what()}, for which nobody waits`);
  }
}

/** In a transaction, ZooKeeper knows no create that may find the znode there. */
function asWished(request: NativeRequest): NativeRequest {
  if (request.kind !== "write" || request.operation.kind !== "multi") return request;
  const operations = request.operation.operations.map((each) => {
    if (each.kind !== "create") return each;
    const { unlessExists: _, ...create } = each;
    return create;
  });
  return { kind: "write", operation: { kind: "multi", operations } };
}
