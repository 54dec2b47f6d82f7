/** Faults about who is who: replacements of processes that live on, wrong members. */
import { OWNER_FILE } from "../../../actors/log/format/files.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import type { Cluster } from "../cluster.ts";
import { copyFolder, losePart, putBack, replaceLiving } from "../losses.ts";
import type { FolderCopy, SimNode } from "../sim-node.ts";
import type { FaultKind } from "./kinds.ts";
import type { Inject, Injection } from "./target.ts";

type IdentityFaultKind =
  | "replaceLiving"
  | "ghostsMeet"
  | "wrongMembers"
  | "wipe"
  | "oldCopy"
  | "copyBeside"
  | "secondEnsemble";

/** After this time every node has received a message of a node that stands as a candidate. */
const HEARD_MS = 150;
/** The moment for a copy is when all is quiet: it is looked for a few times. */
const BESIDE_EVERY_MS = 300;
const BESIDE_TRIES = 6;

/** The folder was started again since it was copied, and all nodes go by one configuration. */
function isSettled({ nodes }: Cluster, node: SimNode, copy: FolderCopy): boolean {
  const own = node.logSync?.membership;
  if (own === undefined || own.incarnation <= copy.incarnation) return false;
  if (own.identity !== copy.identity || own.losingVote !== undefined) return false;
  return nodes.every(({ established, votes, logSync }) => {
    const { settled, logged } = logSync?.membership ?? {};
    return established && votes && settled?.version === copy.version && logged?.length === 0;
  });
}

export function identityFaults({
  cluster,
  random,
  later,
  say,
}: Injection): Record<IdentityFaultKind, Inject> {
  /**
   * Starts a process on the copy once each of the others has received something of the current process: then all of them have to
   * refuse it.
   */
  function startBeside(node: SimNode): void {
    const { copy } = node;
    if (copy === undefined || cluster.ghosts.hasAny("copy")) return;
    if (!isSettled(cluster, node, copy)) return;
    const incarnations = cluster.nodes.map(({ incarnation }) => incarnation);
    cluster.network.listenAnew();
    node.tell("log-sync", { kind: "elected", leader: node.id });
    later(HEARD_MS, () => {
      if (!isSettled(cluster, node, copy) || !cluster.network.isHeardByAll(node.id)) return;
      if (cluster.nodes.some(({ incarnation }, index) => incarnation !== incarnations[index]))
        return;
      if (cluster.ghosts.hasAny("copy")) return;
      const beside = cluster.ghosts.newProcess(node, "copy");
      beside.disk = new MemoryDisk({ files: copy.files });
      cluster.start(beside);
      cluster.ghosts.meet("copy");
      later(1500, () => cluster.ghosts.endAll("copy"));
    });
  }

  return {
    replaceLiving: ({ node }) => {
      return replaceLiving(cluster, node) && say(`${node.id} is replaced while it lives`);
    },
    ghostsMeet: () => {
      cluster.ghosts.meet("replaced");
      cluster.ghosts.meet("rival");
      return say("who was replaced hears the others again");
    },
    wrongMembers: ({ node }) => {
      if (node.disk.content(OWNER_FILE) === undefined) return false;
      if (node.incarnation !== undefined) cluster.crash(node, random.chance(0.5));
      const { nodes } = cluster.plan;
      const others = random.chance(0.5) ? [] : [(nodes + 1) as ServerId, (nodes + 2) as ServerId];
      node.wrongMembers = [node.id, ...others];
      later(20, () => cluster.start(node));
      return say(`${node.id} is started with members ${node.wrongMembers.join(",")}`);
    },
    wipe: ({ node }) => {
      if (node.incarnation !== undefined) cluster.crash(node, random.chance(0.5));
      const done = losePart(cluster, node, "everything");
      later(20 + random.wait(200), () => cluster.start(node));
      return done && say(`${node.id} has an empty disk`);
    },
    oldCopy: ({ node }) => {
      if (node.copy === undefined || random.chance(0.2)) return copyFolder(cluster, node);
      if (node.incarnation !== undefined) cluster.crash(node, random.chance(0.5));
      later(20 + random.wait(200), () => cluster.start(node));
      return putBack(cluster, node);
    },
    copyBeside: ({ node }) => {
      // Half of the time the copy is of just before the last start: it and its original are then started as often.
      if (node.copy === undefined || random.chance(0.5)) {
        if (!copyFolder(cluster, node)) return false;
        cluster.crash(node, false);
        later(20, () => cluster.start(node));
      }
      for (let tries = 1; tries <= BESIDE_TRIES; tries += 1) {
        later(tries * BESIDE_EVERY_MS, () => startBeside(node));
      }
      return say(`an old copy of the folder of ${node.id} is to be started beside it`);
    },
    secondEnsemble: () => {
      if (cluster.ghosts.hasAny("rival") || !cluster.nodes.every((node) => node.votes))
        return false;
      for (const node of cluster.nodes) cluster.start(cluster.ghosts.newProcess(node, "rival"));
      const isApart = random.chance(0.5);
      if (!isApart) cluster.ghosts.meet("rival");
      later(3000 + random.wait(3000), () => cluster.ghosts.endAll("rival"));
      return say(`a second ensemble is started${isApart ? ", apart" : ""}`);
    },
  } satisfies Partial<Record<FaultKind, Inject>>;
}
