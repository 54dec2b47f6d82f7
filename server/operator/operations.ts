/** What operators can ask of this node, answered from what its actors know. */
import type { ServerId } from "../../protocol/ids.ts";
import type { NodeStatus } from "../../protocol/operator.ts";
import { ZXID_NONE } from "../../protocol/zxid.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import { NodeFacts } from "../admin/node-facts.ts";
import type { NodeGate } from "../peer-gate.ts";
import type { PeerKeys } from "../peer-keys.ts";
import type { Retirement } from "../retirement.ts";
import type { PlacedConfig } from "../threads/choice.ts";
import { type OperatedNode, OperatorDesk, type OperatorDeskOptions } from "./operator-desk.ts";

export type OperationsOptions = {
  readonly config: PlacedConfig;
  readonly keys: PeerKeys | undefined;
  /** Undefined before the node has actors. */
  readonly main: () =>
    | { readonly system: ActorSystem; readonly gate: NodeGate; readonly retirement: Retirement }
    | undefined;
  readonly clientsConnect: () => boolean;
  readonly say: OperatorDeskOptions["say"];
  /** Undefined: nobody would start the process again. */
  readonly restart: (() => void) | undefined;
};

type Parts = { readonly desk: OperatorDesk; readonly facts: NodeFacts };

export class Operations implements OperatedNode {
  readonly #options: OperationsOptions;
  #parts: Parts | undefined;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  hear(bytes: Uint8Array, answer: (bytes: Uint8Array) => void): void {
    const { config, keys, say, main } = this.#options;
    const started = main();
    // A node that still starts has nothing to say. Who asks will ask again.
    if (started === undefined) return;
    const { ensemble } = config;
    const nowMs = (): number => performance.now();
    this.#parts ??= {
      desk: new OperatorDesk({ ensemble, keys, node: this, say, nowMs }),
      facts: new NodeFacts(started.system),
    };
    this.#parts.desk.hear(bytes, answer).catch((error: unknown) => {
      say("error", "operatorFailed", { error: String(error) });
    });
  }

  async status(): Promise<NodeStatus> {
    const { config, main } = this.#options;
    const facts = await this.#parts?.facts.ask({ gather: "stat" });
    const { role = "unknown", leader, epoch = 0, laneZxids = [] } = facts?.metrics ?? {};
    const zxids = laneZxids.map(([, zxid]) => Number(zxid));
    return {
      node: config.id as ServerId,
      nonce: String(main()?.gate.nonce ?? ""),
      members: config.members,
      ...{ role, leader: leader as ServerId | undefined, epoch },
      applied: zxids.length === 0 ? ZXID_NONE : Math.min(...zxids),
      notReady: this.#notReady(role, laneZxids.length),
    };
  }

  #notReady(role: string, lanes: number): string | undefined {
    const { config, main, clientsConnect } = this.#options;
    if (main()?.retirement.hasBegun === true) return "it is about to stop";
    if (role !== "leading" && role !== "following") return `it is ${role}`;
    if (lanes < config.lanes) return "not all of its lanes answer";
    return clientsConnect() ? undefined : "no client can connect yet";
  }

  transferLeadership(to: ServerId | undefined): ReturnType<OperatedNode["transferLeadership"]> {
    const started = this.#options.main();
    if (started !== undefined) return started.retirement.transferLeadership(to);
    return Promise.resolve({ kind: "failed", reason: "it is starting", leader: undefined });
  }

  restart(): string | undefined {
    const { restart } = this.#options;
    if (restart === undefined) return "it is a part of another program, which would end with it";
    restart();
    return undefined;
  }
}
