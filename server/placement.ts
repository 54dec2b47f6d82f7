/**
 * Which actors live on which thread. A node has one main thread, one log lane and one or more tree lanes, or a main thread that does
 * the work of all (`threads/`). What adds them is in `actors/`, a file for each kind of thread, so that none loads the code of another.
 */
import { peerCheck } from "../actors/peer-messages.ts";
import type { Randomness } from "../runtime/clock.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { NodeGate } from "./peer-gate.ts";

/** The thread of an actor, by its name: `log`, a lane's number, or the main thread. */
export function threadOf(actor: string): "main" | "log" | number {
  if (actor === "log") return "log";
  const slash = actor.indexOf("/");
  return slash < 0 ? "main" : Number(actor.slice(slash + 1));
}

/** The gate of the node, with a nonce that tells this process from others with its number. */
export function peerGate(config: NodeConfig, randomness: Randomness): NodeGate {
  const nonce = Math.floor(randomness.random() * Number.MAX_SAFE_INTEGER);
  const check = peerCheck({ server: config.id, voters: config.members });
  return new NodeGate({ server: config.id, nonce, check });
}
