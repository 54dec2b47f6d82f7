/** Faults about who is who: replacements of processes that live on, wrong members. */
import { OWNER_FILE } from "../../../actors/log/files.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { FaultKind } from "./kinds.ts";
import type { Inject, Injection } from "./target.ts";

type IdentityFaultKind = "replaceLiving" | "ghostsMeet" | "wrongMembers" | "wipe";

export function identityFaults({
  cluster,
  random,
  later,
  say,
}: Injection): Record<IdentityFaultKind, Inject> {
  return {
    replaceLiving: ({ node }) => {
      return cluster.replaceLiving(node) && say(`${node.id} is replaced while it lives`);
    },
    ghostsMeet: () => {
      cluster.ghosts.meet();
      return say("who was replaced hears the others again");
    },
    wrongMembers: ({ node }) => {
      if (node.disk.content(OWNER_FILE) === undefined) return false;
      if (node.life !== undefined) cluster.crash(node, random.chance(0.5));
      const { nodes } = cluster.plan;
      const others = random.chance(0.5) ? [] : [(nodes + 1) as ServerId, (nodes + 2) as ServerId];
      node.wrongMembers = [node.id, ...others];
      later(20, () => cluster.start(node));
      return say(`${node.id} is started with members ${node.wrongMembers.join(",")}`);
    },
    wipe: ({ node }) => {
      if (node.life !== undefined) cluster.crash(node, random.chance(0.5));
      const done = cluster.lose(node, "everything");
      later(20 + random.wait(200), () => cluster.start(node));
      return done && say(`${node.id} has an empty disk`);
    },
  } satisfies Partial<Record<FaultKind, Inject>>;
}
