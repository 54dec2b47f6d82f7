/** Every kind of fault, by group. A kind that is not in the list of its group is not drawn. */

type FaultGroup = "network" | "process" | "clock" | "disk" | "client";

export type FaultKind =
  /** One direction between two nodes carries nothing. */
  | "cutOneWay"
  | "cutBothWays"
  | "isolate"
  /** The node that serves some client hears nobody, and nobody it, for longer than the client's session may last. */
  | "isolateServer"
  | "isolateLeader"
  /** The leader hears all and is heard by none. */
  | "muteLeader"
  /** The nodes fall into two groups. */
  | "halves"
  /** Two groups that share one node. */
  | "bridge"
  /** What is sent arrives when the path is healed. */
  | "clog"
  | "slowLink"
  | "lossBurst"
  | "overtaking"
  /** Somebody who is no node sends what is refused, under nodes' names. */
  | "hostilePeer"
  | "heal"
  /** `kill -9`: what was written and not fsynced stays. */
  | "kill"
  | "killLeader"
  /** What was not fsynced may be gone, or torn. */
  | "powerFailure"
  | "powerFailureOfAll"
  /** At the next disk operation, or a few later. */
  | "crashAtDiskStep"
  /** At one of the next disk operations on a file of a snapshot. */
  | "crashAtSnapshot"
  /** At one of the next removals of a file, or when one is made shorter. */
  | "crashAtTruncation"
  | "pause"
  | "pauseLeader"
  | "restartStorm"
  /**
   * Some nodes are told to stand although nothing is wrong: who should lead is only a hint, and a wrong one must cost no safety.
   */
  | "wrongElection"
  /** The leader hands its office over, to a node that may not be able to take it. */
  | "handOver"
  /** A node hands over if it leads, lets its clients go, stops, and comes back. */
  | "orderlyStop"
  /** A node that does not lead has another one take over, as a leader may. */
  | "wrongTakeOver"
  /** An actor that may fail by itself fails at the next message: it is started again, or a gateway recovers from it. */
  | "actorFails"
  | "drift"
  | "clientDrift"
  | "wallJump"
  | "slowDisk"
  | "slowSync"
  | "syncFails"
  | "writeFails"
  | "readFails"
  | "diskFull"
  /** A crash, and what was durable is changed, misplaced, missing, or all gone. */
  | "damage"
  /** A node asks others for their promises, its leader does not hear of it, and the disk of one that gave it is damaged. */
  | "promiseForgotten"
  /** A crash, and the last write that was synced is cut short or changed. */
  | "loseLastWrite"
  /** A start with the disk of another node, then with its own again. */
  | "wrongDisk"
  | "cutClient"
  /** A client leaves without closing its connection and goes to another node. */
  | "moveClient"
  | "moveAllClients"
  /** Another client takes a session over, with its password. */
  | "shareSession"
  /** A client is gone for longer than its session lives. */
  | "silenceClient"
  /** A client only listens, for about as long as its session lives. */
  | "muteClient"
  /** The node that attaches a session stands still before it has answered. */
  | "stallHandshake"
  /** Somebody asks for a session with another password than its own. */
  | "wrongPassword"
  /** A client sends nearly valid frames, on both protocols. */
  | "hostileClient"
  /** The leader receives everything late, and gets a successor because nobody receives anything of it. */
  | "deafLeader"
  /** The leader and one other node apart from a majority, which elects at once, for longer than a session lives. */
  | "pairApart"
  /** The leader starts again and leads again. Messages to its earlier incarnation arrive then, and later it is isolated. */
  | "lateEchoes"
  /** A node loses its disk, and its wall clock shows less than before: its lanes' incarnation is below what the log knows. */
  | "replacedUnderOldClock"
  /** A process with an empty folder is started under the number of one that goes on, cut off; later they meet. */
  | "replaceLiving"
  /** Those that were cut off and replaced hear the others again. */
  | "ghostsMeet"
  /** A member is started with other members than the ensemble's, or with none, and then rightly. */
  | "wrongMembers"
  /** A node loses its disk. */
  | "wipe"
  /** A folder is copied, or such a copy is put back in its place. */
  | "oldCopy"
  /** A process is started on an old copy of the folder of one that lives. */
  | "copyBeside"
  /** Processes with empty folders and all the ensemble's numbers are started, on the same network or at first apart. */
  | "secondEnsemble";

export const FAULTS: Readonly<Record<FaultGroup, readonly FaultKind[]>> = {
  network: [
    "cutOneWay",
    "cutBothWays",
    "isolate",
    "isolateServer",
    "isolateLeader",
    "muteLeader",
    "halves",
    "bridge",
    "clog",
    "slowLink",
    "lossBurst",
    "overtaking",
    "hostilePeer",
    "heal",
  ],
  process: [
    "kill",
    "killLeader",
    "powerFailure",
    "powerFailureOfAll",
    "crashAtDiskStep",
    "crashAtSnapshot",
    "crashAtTruncation",
    "pause",
    "pauseLeader",
    "restartStorm",
    "wrongElection",
    "actorFails",
  ],
  clock: ["drift", "clientDrift", "wallJump"],
  disk: [
    "slowDisk",
    "slowSync",
    "syncFails",
    "writeFails",
    "readFails",
    "diskFull",
    "damage",
    "promiseForgotten",
    "loseLastWrite",
    "wrongDisk",
  ],
  client: [
    "cutClient",
    "moveClient",
    "moveAllClients",
    "shareSession",
    "silenceClient",
    "muteClient",
    "stallHandshake",
    "wrongPassword",
    "hostileClient",
  ],
};
