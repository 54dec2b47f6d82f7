/** Observes every step of every actor of a run, and passes it to the checkers that it concerns. */
import type { FeedState } from "../../actors/feed/feed.ts";
import type { FeedMessage } from "../../actors/feed/messages.ts";
import type { NatsGatewayMessage, ZooKeeperGatewayMessage } from "../../actors/gateway/messages.ts";
import type { NatsGatewayState } from "../../actors/gateway/nats/gateway.ts";
import type { State as GatewayState } from "../../actors/gateway/zookeeper/gateway.ts";
import type { LogState } from "../../actors/log/log.ts";
import type { LogMessage, LogReport } from "../../actors/log/messages.ts";
import type { LogSyncMessage } from "../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../actors/log-sync/state.ts";
import type { ReaperMessage } from "../../actors/reaper/messages.ts";
import type { ReaperState } from "../../actors/reaper/reaper.ts";
import type { SessionsMessage } from "../../actors/sessions/messages.ts";
import type { SessionsState } from "../../actors/sessions/sessions.ts";
import type { TreeMessage } from "../../actors/tree/messages.ts";
import type { TreeState } from "../../actors/tree/tree.ts";
import { DiskChecks } from "./checks/disk.ts";
import type { Invariants, NodeLog } from "./checks/invariants.ts";
import { LeaderTime } from "./checks/leader-time.ts";
import { checkRequests, checkTree } from "./checks/limits.ts";
import { MovedSessions } from "./checks/moved.ts";
import { Promises } from "./checks/promises.ts";
import { checkReaper } from "./checks/reaping.ts";
import type { ReplicationChecks } from "./checks/replication.ts";
import { must } from "./checks/violation.ts";
import type { Decision } from "../../runtime/inspection.ts";
import type { Coverage } from "./coverage.ts";
import type { SimNode } from "./sim-node.ts";

export type NodeObserverOptions = {
  readonly invariants: Invariants;
  readonly checks: ReplicationChecks;
  readonly coverage: Coverage;
  /** What clients have under way at most, as far as it may grow a tree. */
  readonly underWayBytes: number;
  /** The gateways of the node may refuse writes from now on. */
  readonly onRefusals: (node: SimNode) => void;
  readonly onNativeRefusals: (node: SimNode) => void;
};

export class NodeObserver {
  /** Called once an actor of a node has decided, before anything of it is checked. Must change nothing. */
  onStep: ((node: SimNode, actor: string) => void) | undefined;
  readonly #options: NodeObserverOptions;
  readonly #promises = new Promises();
  readonly #diskChecks = new DiskChecks();
  readonly #leaderTime = new LeaderTime();
  readonly #moved = new MovedSessions();

  constructor(options: NodeObserverOptions) {
    this.#options = options;
  }

  /** Checks a step of a process that runs beside the one that has its number by now. */
  sawGhost(log: NodeLog, actor: string, message: object, state: unknown): void {
    if (actor !== "log-sync") return;
    this.#options.invariants.afterLogSync(log, state as LogSyncState);
    this.#promises.saw(state as LogSyncState, message as LogSyncMessage);
  }

  saw(
    node: SimNode,
    actor: string,
    { message, effects }: Pick<Decision, "message" | "effects">,
    state: unknown,
  ): void {
    this.onStep?.(node, actor);
    if (actor === "log-sync") {
      const report = message as LogReport;
      if (report.kind === "recovered") this.#recovered(node, report);
      this.#options.invariants.afterLogSync(node.log, state as LogSyncState);
      this.#options.checks.kept.afterLogSync(node.log, state as LogSyncState);
      const told = message as LogSyncMessage;
      this.#promises.saw(state as LogSyncState, told);
      this.#options.checks.counted.saw(node.id, told, state as LogSyncState);
      this.#options.checks.ownCounts.saw(node.id, told, state as LogSyncState, effects);
      this.#options.checks.folders.saw(node.id, told, state as LogSyncState);
      this.#options.checks.handovers.saw(node.id, told, state as LogSyncState, effects);
      if (told.kind === "snapshotStored") {
        this.#options.checks.snapshots.stored(node.id, node.disk, told.snapshot);
      }
      if (told.kind === "propose") this.#leaderTime.proposes(node, told.payload);
    } else if (actor === "reaper") {
      checkReaper(node.id, message as ReaperMessage, state as ReaperState, effects);
    } else if (actor === "sessions") {
      this.#leaderTime.saw(node, message as SessionsMessage, state as SessionsState);
    } else if (actor === "log") {
      const command = message as LogMessage;
      if (command.kind === "append") this.#options.invariants.appends(node.id, command.records);
      if (!node.hasWrongDisk) {
        this.#diskChecks.afterLog(node.id, node.disk, state as LogState);
        this.#options.checks.kept.afterLog(node.log, state as LogState);
      }
    } else if (actor.startsWith("zookeeper/")) {
      const told = message as ZooKeeperGatewayMessage;
      checkRequests(state as GatewayState, told);
      this.#moved.saw(`${actor} of node ${node.id}`, told, state as GatewayState);
      if (told.kind === "leadership" && told.admission !== "all") this.#options.onRefusals(node);
    } else if (actor.startsWith("nats/")) {
      const told = message as NatsGatewayMessage;
      this.#moved.saw(`${actor} of node ${node.id}`, told, state as NatsGatewayState);
      if (told.kind === "leadership" && told.admission !== "all")
        this.#options.onNativeRefusals(node);
    } else if (actor === "feed/1") {
      this.#options.invariants.feed.saw(node, message as FeedMessage, state as FeedState, effects);
    } else if (actor.startsWith("tree/")) {
      this.#observeTree(node, actor, message as TreeMessage, state as TreeState);
    }
    this.#options.coverage.saw(actor, message, state);
  }

  #recovered(node: SimNode, report: Extract<LogReport, { kind: "recovered" }>): void {
    must(!node.hasWrongDisk, "no crash", () => {
      return `node ${node.id} starts with the disk of another node`;
    });
    this.#options.invariants.recovered(node.log, report);
  }

  #observeTree(node: SimNode, actor: string, message: TreeMessage, tree: TreeState): void {
    const loaded = message.kind === "snapshotChunk" && tree.lastApplied === message.zxid;
    if (message.kind !== "committed" && !loaded) return;
    const cursors = node.incarnation?.cursors;
    // A snapshot is compared whole.
    if (loaded) cursors?.delete(actor);
    checkTree(`${actor} of node ${node.id}`, tree, this.#options.underWayBytes);
    const cursor = this.#options.invariants.applied(
      `${actor} of node ${node.id}`,
      tree,
      cursors?.get(actor) ?? 0,
    );
    cursors?.set(actor, cursor);
  }
}
