/**
 * Which actors live on which thread, and who hears what of whom. A node has one main thread, one log lane and one or more
 * tree lanes; the simulator puts all of them into one system.
 */
import { crc32 } from "node:zlib";
import { electionActor } from "../actors/election/election.ts";
import { heartbeatActor } from "../actors/heartbeat/heartbeat.ts";
import { logActor } from "../actors/log/actor.ts";
import { logSyncActor } from "../actors/log-sync/log-sync.ts";
import { sessionsActor } from "../actors/sessions/sessions.ts";
import { submitterActor } from "../actors/submitter/submitter.ts";
import { treeActor } from "../actors/tree/tree.ts";
import { decodeCbor, encodeCbor, PEER_CBOR } from "../protocol/cbor.ts";
import type { ActorSystem } from "../runtime/system.ts";
import type { Codec } from "../runtime/transport.ts";
import type { NodeConfig } from "./config/node-config.ts";

/** Messages between nodes are CBOR maps. */
export const peerCodec: Codec = {
  encode: encodeCbor,
  decode: (bytes) => {
    const message = decodeCbor(bytes, PEER_CBOR);
    if (typeof message !== "object" || message === null) throw new Error("not a message");
    return message;
  },
};

/** The thread of an actor, by its name: `log`, a lane's number, or the main thread. */
export function threadOf(actor: string): "main" | "log" | number {
  if (actor === "log") return "log";
  const slash = actor.indexOf("/");
  return slash < 0 ? "main" : Number(actor.slice(slash + 1));
}

/** Election, heartbeat, sessions and log-sync: they live on the main thread. */
export function addReplicationActors(system: ActorSystem, config: NodeConfig): void {
  const { id: server, members: voters, lanes } = config;
  const hearLeadership = ["election", "heartbeat", "sessions"];
  const trees: string[] = [];
  for (let lane = 1; lane <= lanes; lane += 1) {
    hearLeadership.push(`submitter/${lane}`);
    trees.push(`tree/${lane}`);
  }
  tellAll(system, "log-sync", "committed$", trees);
  tellAll(system, "log-sync", "leadership$", hearLeadership);
  tellAll(system, "log-sync", "durable$", ["election"]);
  system.add(logSyncActor({ server, voters, lanes, crc32 }));
  system.add(electionActor({ server, voters }));
  system.add(
    heartbeatActor({
      server,
      voters,
      intervalMs: config.heartbeatIntervalMs,
      timeoutMs: config.peerTimeoutMs,
    }),
  );
  system.add(sessionsActor({ tickMs: Math.min(500, Math.ceil(config.tickTimeMs / 4)) }));
}

/** Every value that the actor emits under the topic goes to the inbox of each of these. */
export function tellAll(
  system: ActorSystem,
  actor: string,
  topic: string,
  to: readonly string[],
): void {
  system.topic(actor, topic).subscribe((value) => {
    for (const name of to) system.tell(name, value);
  });
}

export function addLogActor(
  system: ActorSystem,
  config: NodeConfig,
  options: { readonly segmentBytes?: number } = {},
): void {
  const { id: server, ensemble, members, snapshotEveryBytes } = config;
  const repairable = members.length > 1;
  system.add(logActor({ server, ensemble, snapshotEveryBytes, repairable, crc32, ...options }));
}

/** A lane's replica and its submitter. */
export function addReplicaActors(
  system: ActorSystem,
  config: NodeConfig,
  lane: number,
  options: { readonly ringBytesMax?: number } = {},
): void {
  const { id: server } = config;
  // Every lane holds the same sessions: one of them tells the main thread.
  if (lane === 1) tellAll(system, `tree/${lane}`, "sessions$", ["sessions"]);
  system.add(treeActor({ server, lane, crc32, ...options }));
  system.add(submitterActor({ server, lane }));
}
