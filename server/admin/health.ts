/**
 * Whether the node is alive and whether it is ready, in etcd's sense of the words. Alive: the process answers, and so do its lanes and its log. Ready: the node
 * knows a leader, and each lane has applied what was known here to be committed when it was asked.
 */
import type { Facts } from "../../actors/admin/messages.ts";
import { recordHeader } from "../../protocol/record.ts";
import { formatZxid, laterOf, ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import { setTimeout as wait } from "node:timers/promises";
import { observe } from "../wiring.ts";
import type { HttpReply } from "./http-server.ts";
import type { NodeFacts } from "./node-facts.ts";

export type Check = { readonly name: string; readonly failure: string | undefined };

/** How long threads may take to answer, and lanes to apply what is committed. */
const THREADS_MS_MAX = 5_000;
const APPLIED_MS_MAX = 2_000;
const LOOK_EVERY_MS = 20;

export type NodeHealthOptions = {
  readonly system: ActorSystem;
  readonly facts: NodeFacts;
  readonly lanes: number;
  /** Whether every other thread of the node answers in time, that of the log among them. */
  readonly threadsAnswer: (withinMs: number) => Promise<boolean>;
};

/** A node that is asked, and how far its log is known to be committed. */
export class NodeHealth {
  readonly #facts: NodeFacts;
  readonly #lanes: number;
  readonly #threadsAnswer: NodeHealthOptions["threadsAnswer"];
  #committed: Zxid = ZXID_NONE;

  constructor({ system, facts, lanes, threadsAnswer }: NodeHealthOptions) {
    this.#facts = facts;
    this.#lanes = lanes;
    this.#threadsAnswer = threadsAnswer;
    observe(system, "committed").subscribe(({ records }) => {
      const last = records.at(-1);
      if (last !== undefined) {
        this.#committed = laterOf(this.#committed, recordHeader(last).lastZxid);
      }
    });
  }

  /** Gateways of each lane are asked, and each thread, so that one that stands still is seen, whichever it is. */
  async live(): Promise<readonly Check[]> {
    const withinMs = THREADS_MS_MAX;
    const [facts, threads] = await Promise.all([
      this.#facts.ask({ gather: "stat", withinMs }),
      this.#threadsAnswer(withinMs),
    ]);
    return [PROCESS, answered("lanes", facts !== undefined), answered("threads", threads)];
  }

  async ready(clients: boolean): Promise<readonly Check[]> {
    const committed = this.#committed;
    const untilMs = performance.now() + APPLIED_MS_MAX;
    for (;;) {
      const facts = await this.#facts.ask({ gather: "stat", withinMs: THREADS_MS_MAX });
      const applied = appliedCheck(facts, committed, this.#lanes);
      if (applied.failure === undefined || performance.now() >= untilMs) {
        const failure = clients ? undefined : "no client can connect yet";
        return [leaderCheck(facts), applied, { name: "clients", failure }];
      }
      await wait(LOOK_EVERY_MS);
    }
  }
}

export const PROCESS: Check = { name: "process", failure: undefined };

function answered(name: string, inTime: boolean): Check {
  return { name, failure: inTime ? undefined : `no answer in ${THREADS_MS_MAX / 1000} s` };
}

function leaderCheck(facts: Facts | undefined): Check {
  const role = facts?.metrics.role;
  const knows = role === "leading" || role === "following";
  return { name: "leader", failure: knows ? undefined : (role ?? "the node does not say") };
}

/** What a lane has applied is what it has told last, so it may have to be asked again. */
function appliedCheck(facts: Facts | undefined, committed: Zxid, lanes: number): Check {
  const name = "applied";
  if (facts === undefined) return { name, failure: "the lanes do not answer" };
  const { laneZxids } = facts.metrics;
  const behind = laneZxids.find(([, zxid]) => zxid < committed);
  if (behind !== undefined) {
    const [lane, zxid] = behind;
    const failure = `lane ${lane} is at ${formatZxid(zxid)}, behind ${formatZxid(committed)}`;
    return { name, failure };
  }
  const isWhole = laneZxids.length === lanes;
  return { name, failure: isWhole ? undefined : "not all lanes have said what they have applied" };
}

/** In the form of etcd and Kubernetes. */
export function healthReply(
  endpoint: string,
  checks: readonly Check[],
  isVerbose: boolean,
): HttpReply {
  const isOk = checks.every(({ failure }) => failure === undefined);
  if (isOk && !isVerbose) return { status: 200, body: "ok\n" };
  const lines = checks.map(({ name, failure }) =>
    failure === undefined ? `[+]${name} ok` : `[-]${name} failed: ${failure}`,
  );
  lines.push(`${endpoint} check ${isOk ? "passed" : "failed"}`);
  return { status: isOk ? 200 : 503, body: `${lines.join("\n")}\n` };
}
