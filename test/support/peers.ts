/** Nodes as their peers know them, for tests of single actors: node N has a folder of its own, started once. */
import type { LogSyncMessage, LogSyncPeerMessage } from "../../actors/log-sync/messages.ts";
import type { LogReport } from "../../actors/log/messages.ts";
import { type Configuration, foundedBy } from "../../protocol/configuration.ts";
import { EPOCH_NONE, ZXID_NONE } from "../../protocol/zxid.ts";
import type { PeerSender } from "../../runtime/transport.ts";
import { server } from "./plain-calls.ts";

export function folderOf(node: number): string {
  return node.toString(16).padStart(32, "0");
}

export function senderOf(node: number): PeerSender {
  const { ensembleId } = ensembleOf(3);
  return {
    identity: folderOf(node),
    incarnation: 1,
    nonce: node,
    ensembleId,
    isVoter: true,
    isNamed: true,
  };
}

/** What log-sync receives when this node sends it a message, by a sender with the fields of `of` in place of its own. */
export function from(
  node: number,
  message: LogSyncPeerMessage,
  of: Partial<PeerSender> = {},
): LogSyncMessage {
  return {
    kind: "received",
    from: server(node),
    sender: { ...senderOf(node), ...of },
    message,
  };
}

type Recovered = Extract<LogReport, { kind: "recovered" }>;

/** Returns the configuration that nodes 1 to `count` found. */
export function ensembleOf(count: number): Configuration {
  return foundedBy(
    Array.from({ length: count }, (_, index) => ({
      id: server(index + 1),
      identity: folderOf(index + 1),
    })),
  );
}

/**
 * Returns the report of node 1's log, one of three nodes, at a start with an empty folder, with the fields of `of` in place of its
 * own.
 */
export function recoveredReport(of: Partial<Recovered>): Recovered {
  return {
    kind: "recovered",
    identity: folderOf(1),
    configuration: ensembleOf(3),
    logged: [],
    promise: { epoch: EPOCH_NONE, candidate: server(1) },
    baseZxid: ZXID_NONE,
    lastZxids: [],
    snapshot: undefined,
    timeMs: 0,
    voteLoss: undefined,
    incarnation: 1,
    tornBytes: 0,
    ...of,
  };
}

/** A greeting of one of three nodes whose folder belongs to no ensemble, with the fields of `of` in place of its own. */
export function greeting(
  of: Partial<Extract<LogSyncPeerMessage, { kind: "greeting" }>> = {},
): LogSyncPeerMessage {
  return {
    kind: "greeting",
    members: [1, 2, 3].map(server),
    configuration: undefined,
    asks: false,
    mayFound: true,
    ...of,
  };
}
