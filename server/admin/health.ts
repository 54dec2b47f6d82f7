/**
 * Whether the node is alive and whether it is ready, in etcd's sense of the words. Alive: the process answers, and so do its lanes. Ready: the node
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

/** How long lanes and the log may each take to answer, and lanes to apply what is committed. */
const LANES_MS_MAX = 5_000;
const APPLIED_MS_MAX = 2_000;
const LOOK_EVERY_MS = 20;

/** A node that is asked, and how far its log is known to be committed. */
export class NodeHealth {
  readonly #facts: NodeFacts;
  readonly #lanes: number;
  #committed: Zxid = ZXID_NONE;

  constructor(system: ActorSystem, facts: NodeFacts, lanes: number) {
    this.#facts = facts;
    this.#lanes = lanes;
    observe(system, "committed").subscribe(({ records }) => {
      const last = records.at(-1);
      if (last !== undefined) {
        this.#committed = laterOf(this.#committed, recordHeader(last).lastZxid);
      }
    });
  }

  /** Each lane is asked, and then the log, so that a thread that stands still is seen, whichever it is. */
  async live(): Promise<readonly Check[]> {
    const lanes = await this.#answers("lanes", "stat");
    return [PROCESS, lanes, await this.#answers("log", "log")];
  }

  async #answers(name: string, gather: "stat" | "log"): Promise<Check> {
    const facts = await this.#facts.ask({ gather, withinMs: LANES_MS_MAX });
    const failure = facts === undefined ? `no answer in ${LANES_MS_MAX / 1000} s` : undefined;
    return { name, failure };
  }

  async ready(clients: boolean): Promise<readonly Check[]> {
    const committed = this.#committed;
    const untilMs = performance.now() + APPLIED_MS_MAX;
    for (;;) {
      const facts = await this.#facts.ask({ gather: "stat", withinMs: LANES_MS_MAX });
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
