/**
 * One node's tree, submitter, sessions and both gateways in one actor system under virtual time, as they really are. Behind them,
 * in place of replication, what is submitted is committed at once. Any failure of an actor is a violation, also one that its
 * supervision would have made good.
 */
import { crc32 } from "node:zlib";
import { reaperActor } from "../../../actors/reaper/reaper.ts";
import { sessionsActor } from "../../../actors/sessions/sessions.ts";
import type { State as ZooKeeperState } from "../../../actors/gateway/zookeeper/gateway.ts";
import type { NatsGatewayState } from "../../../actors/gateway/nats/gateway.ts";
import type { ZooKeeperGatewayMessage } from "../../../actors/gateway/messages.ts";
import type { HeartbeatMessage } from "../../../actors/heartbeat/messages.ts";
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import type { Leadership } from "../../../protocol/replication.ts";
import type { WriteAdmission } from "../../../protocol/replication.ts";
import type { TreeState } from "../../../actors/tree/tree.ts";
import type { ServerId, Submitter } from "../../../protocol/ids.ts";
import { RECORD_BYTES_MAX } from "../../../protocol/limits.ts";
import { encodeRecord, RECORD_HEADER_BYTES } from "../../../protocol/record.ts";
import { inboxPrefix } from "../../../protocol/subjects.ts";
import { type Epoch, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Actor } from "../../../runtime/actor.ts";
import type { ConnectionEffect } from "../../../runtime/effects.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import type { Offered } from "../../../runtime/transport.ts";
import { SeededRandomness, VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import type { NodeConfig } from "../../../server/config/node-config.ts";
import { addFeedActor, addGatewayActors, addReplicaActors } from "../../../server/actors/lane.ts";
import { addAdminActor, addChangesActor } from "../../../server/actors/main.ts";
import type { PlacedConfig } from "../../../server/threads/choice.ts";
import { validate } from "../../../server/config/validate.ts";
import { wireAll } from "../../../server/wiring.ts";
import { must } from "../target.ts";
import type { Turn } from "../../../runtime/turn.ts";
import type { LocalEffect } from "../../../runtime/effects.ts";
import { tell } from "../../../actors/inboxes.ts";
import { emit } from "../../../actors/topics.ts";

export const ENSEMBLE = "fuzz";
const SERVER = 1 as ServerId;
const FIRST_ZXID = 0x1_0000_0001;

const CONFIG: PlacedConfig = {
  ...defaults(),
  id: SERVER,
  members: [SERVER],
  ensemble: ENSEMBLE,
  lanes: 1,
  fourLetterWords: ["*"],
};

/** As without any flag. */
export function defaults(): NodeConfig {
  const read = validate(new Map(), { transport: "memory" });
  if (read.kind === "invalid") throw new Error("the defaults are valid");
  return read.config;
}

type Role = Leadership["role"];

export class OneNode {
  readonly clock: VirtualClock = new VirtualClock();
  readonly system: ActorSystem;
  /** Written to each connection and not yet taken. */
  readonly written: Map<number, Uint8Array[]> = new Map();
  /** Published to each inbox. */
  readonly published: Map<string, Uint8Array[]> = new Map();
  /** Connections that the node closed. */
  readonly closed: Set<number> = new Set();
  readonly paused: Set<number> = new Set();
  /** What was wrong, in words. */
  #failure: string | undefined;

  constructor() {
    const { clock } = this;
    this.system = new ActorSystem({
      node: SERVER,
      clock,
      randomness: new SeededRandomness(1),
      route: () => undefined,
      connections: { perform: (effect) => this.#perform(effect) },
      publisher: {
        publish: (subject, bytes) => this.#publish(subject, bytes),
        offer: (messages) => this.#offer(messages),
      },
      onStopNode: (reason) => {
        this.#failure ??= `the node stopped: ${reason}`;
      },
    });
    this.system.inspection$.subscribe((event) => {
      if (event.kind === "failed") this.#failure ??= `${event.actor} failed: ${event.error}`;
      else if (event.kind === "undelivered") this.#failure ??= `nobody took ${event.message}`;
    });
    addStandIns(this.system);
    addReplicaActors(this.system, CONFIG, 1);
    addAdminActor(this.system, CONFIG);
    addChangesActor(this.system);
    addGatewayActors(this.system, CONFIG, 1);
    addFeedActor(this.system, CONFIG, { isOn: true });
    wireAll(this.system, 1);
    this.lead("leading", "all");
  }

  get zookeeper(): ZooKeeperState {
    return this.system.stateOf("zookeeper/1") as ZooKeeperState;
  }

  get nats(): NatsGatewayState {
    return this.system.stateOf("nats/1") as NatsGatewayState;
  }

  get tree(): TreeState {
    return this.system.stateOf("tree/1") as TreeState;
  }

  lead(role: Role, admission: WriteAdmission): void {
    this.system.tell("log-sync", { kind: "fuzzLeadership", role, admission });
    this.settle();
  }

  tell(message: ZooKeeperGatewayMessage): void {
    this.system.tell("zookeeper/1", message);
    this.settle();
  }

  hear(subject: string, reply: string, bytes: Uint8Array): void {
    this.system.tell("nats/1", { kind: "clientMessage", subject, reply, bytes });
    this.settle();
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    this.#check();
  }

  /** All that is to be done now. */
  settle(): void {
    this.clock.advance(0);
    this.#check();
  }

  /** The client takes what was written to it. */
  take(connection: number): Uint8Array[] {
    const taken = this.written.get(connection) ?? [];
    this.written.delete(connection);
    if (taken.length > 0) this.tell({ kind: "drained", connection });
    return taken;
  }

  #check(): void {
    must(this.#failure === undefined, this.#failure ?? "");
  }

  #perform(effect: ConnectionEffect): void {
    const { connection } = effect;
    if (effect.kind === "write") {
      must(!this.closed.has(connection), "nothing is written to a closed connection");
      const written = this.written.get(connection);
      if (written === undefined) this.written.set(connection, [effect.bytes]);
      else written.push(effect.bytes);
    } else if (effect.kind === "close") {
      must(!this.closed.has(connection), "a connection is closed once");
      this.closed.add(connection);
      this.system.tell("zookeeper/1", { kind: "closed", connection });
    } else if (effect.kind === "pauseReading") this.paused.add(connection);
    else if (effect.kind === "resumeReading") this.paused.delete(connection);
  }

  /** What NATS would take, and programs can read. */
  #offer(messages: readonly Offered[]): void {
    for (const { subject, text } of messages) {
      must(
        /^zooid\.fuzz\.changes(?:\.[\w~%+-]+)+$/.test(subject),
        `${subject} is one of the feed's`,
      );
      JSON.parse(text);
    }
  }

  #publish(subject: string, bytes: Uint8Array): void {
    must(subject.startsWith(inboxPrefix(ENSEMBLE)), "only inboxes are published to");
    const published = this.published.get(subject);
    if (published === undefined) this.published.set(subject, [bytes]);
    else published.push(bytes);
  }
}

type StandIn = {
  lastZxid: Zxid;
  lastSeq: number;
  leading: boolean;
  /** While there is no leader. */
  waiting: readonly Batch[];
};
type Batch = {
  readonly payload: Uint8Array;
  readonly count: number;
  readonly submitter: Submitter | undefined;
  readonly seq: number;
};
type FuzzLeadership = {
  readonly kind: "fuzzLeadership";
  readonly role: Role;
  readonly admission: WriteAdmission;
};

function addStandIns(system: ActorSystem): void {
  system.add(logSyncStandIn());
  system.add(heartbeatStandIn());
  system.add(electionStandIn());
  system.add(sessionsActor({ tickMs: 500 }));
  system.add(reaperActor({ checkIntervalMs: 500, perMinuteMax: 1000, unusedMs: 0 }));
}

type StandInTurn = Turn<StandIn, LocalEffect<never>>;

function logSyncStandIn(): Actor<StandIn, LogSyncMessage | FuzzLeadership, LocalEffect<never>> {
  return {
    name: "log-sync",
    supervision: "stopNode",
    mailbox: { capacity: 100_000, whenFull: "stopNode" },
    start: ({ effects }) => {
      effects.push(tell("submitter/1", { kind: "incarnation", incarnation: 1 }));
      return { lastZxid: ZXID_NONE, lastSeq: 0, leading: false, waiting: [] };
    },
    receive: (turn, message) => {
      const { state } = turn;
      if (message.kind === "fuzzLeadership") {
        led(turn, message);
      } else if (message.kind === "submit") {
        if (message.seq !== state.lastSeq + 1) return;
        state.lastSeq = message.seq;
        commit(turn, message);
      } else if (message.kind === "propose") {
        commit(turn, { ...message, submitter: undefined, seq: 0 });
      }
    },
  };
}

function led(turn: StandInTurn, { role, admission }: FuzzLeadership): void {
  const { state, effects } = turn;
  state.leading = role === "leading";
  const epoch = 1 as Epoch;
  effects.push(emit("leadership", { kind: "leadership", role, epoch, leader: SERVER, admission }));
  if (!state.leading) return;
  const { waiting } = state;
  state.waiting = [];
  for (const batch of waiting) commit(turn, batch);
}

function commit({ state, effects }: StandInTurn, batch: Batch): void {
  if (!state.leading) {
    state.waiting = [...state.waiting, batch];
    return;
  }
  const { payload, count, submitter, seq } = batch;
  must(payload.length + RECORD_HEADER_BYTES <= RECORD_BYTES_MAX, "a batch fits a record");
  const firstZxid = Math.max(state.lastZxid + 1, FIRST_ZXID) as Zxid;
  const lastZxid = (firstZxid + count - 1) as Zxid;
  const prevZxid = state.lastZxid;
  state.lastZxid = lastZxid;
  const header = {
    kind: "batch",
    firstZxid,
    lastZxid,
    prevZxid,
    timeMs: 1_700_000_000_000,
    submitter,
    seq,
  } as const;
  const records = [encodeRecord(header, payload, crc32)];
  effects.push(emit("committed", { kind: "committed", records }));
}

/** A leader alone hears at once. */
function heartbeatStandIn(): Actor<undefined, HeartbeatMessage, LocalEffect<never>> {
  return {
    name: "heartbeat",
    supervision: "stopNode",
    mailbox: { capacity: 100_000, whenFull: "stopNode" },
    start: () => undefined,
    receive: ({ effects }, message) => {
      if (message.kind !== "touched") return;
      const { sessions, receipt } = message;
      effects.push(tell("sessions", { kind: "touched", sessions }));
      if (receipt === undefined) return;
      const turns = { [receipt.gateway]: [receipt.turn] };
      effects.push(emit("leaderHeard", { kind: "leaderHeard", turns }));
    },
  };
}

/** It hears who leads, and nobody asks it. */
function electionStandIn(): Actor<undefined, object, LocalEffect<never>> {
  return {
    name: "election",
    supervision: "stopNode",
    mailbox: { capacity: 100_000, whenFull: "stopNode" },
    start: () => undefined,
    receive: () => undefined,
  };
}
