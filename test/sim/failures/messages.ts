/**
 * For every actor that outlives its failures: each message that it takes, and how it is brought about. The type demands the whole
 * list, so that a new message is a type error here until somebody says how it comes.
 */
import type { Inboxes } from "../../../actors/inboxes.ts";
import type { ChangesState } from "../../../actors/changes/changes.ts";
import type { FeedState } from "../../../actors/feed/feed.ts";
import type { FactsQuestion } from "../../../actors/admin/messages.ts";
import type { ReaperState } from "../../../actors/reaper/reaper.ts";
import type { GatewayName } from "../../../actors/gateway/messages.ts";
import { ZXID_NONE } from "../../../protocol/zxid.ts";
import { decodeClientFrame } from "../../../protocol/native.ts";
import type { SimNode } from "../sim-node.ts";
import type { Scene } from "./scene.ts";
import type { Survivor } from "./survivors.ts";

/** Timers are told apart by their names, as by `messageKey`. */
type KeyOf<Message> = Message extends { readonly kind: "timer"; readonly timer: infer Timer }
  ? Timer extends string
    ? `timer ${Timer}`
    : never
  : Message extends { readonly kind: infer Kind extends string }
    ? Kind
    : never;

/** Has the ensemble bring it about. Nothing to do: the clients that are there do. */
export type Bring = (scene: Scene) => void;

/** One of the things that a message means, or one of the moments at which it comes. */
export type Way = {
  readonly what: string;
  readonly bring: Bring;
  readonly is: (message: object, node: SimNode) => boolean;
};

type Messages<Name extends keyof Inboxes> = Readonly<
  Record<KeyOf<Inboxes[Name]>, Bring | readonly Way[]>
>;

type MessageOf<Name extends keyof Inboxes, Kind extends string> = Extract<
  Inboxes[Name],
  { readonly kind: Kind }
>;

/** The message is of this kind: the case is armed for it alone. */
function way<Name extends keyof Inboxes, Kind extends Inboxes[Name]["kind"]>(
  what: string,
  bring: Bring,
  is: (message: MessageOf<Name, Kind>, node: SimNode) => boolean,
): Way {
  return { what, bring, is: (message, node) => is(message as MessageOf<Name, Kind>, node) };
}

const comes: Bring = () => undefined;
const unseat: Bring = (scene) => scene.unseat();
/** One node is down, so that the others both have to look and to vote. */
const unseatOfTwo: Bring = (scene) => {
  scene.crash(scene.followers[0]);
  scene.unseat();
};
const move: Bring = (scene) => scene.moveClients();
const crashLeader: Bring = (scene) => scene.crash(scene.leader);
/** The others have to elect while they do not know what becomes of one of them. */
const isolateLeader: Bring = (scene) => scene.isolate(scene.leader);
const isolateFollower: Bring = (scene) => scene.isolate(scene.followers[0]);
const leaveAlone: Bring = (scene) => {
  const [, ...others] = scene.nodes;
  for (const node of others) scene.crash(node);
};
const restart: Bring = (scene) => {
  const [node] = scene.followers;
  scene.crash(node);
  scene.heal();
};
/** Has each node asked this four-letter word. */
function asking(text: string): Bring {
  return (scene) => {
    scene.ask(text);
  };
}
const word = asking("mntr");

/** One node after the other goes out of service, as before it stops, and comes back. */
function retire(name: "zookeeper/1" | "nats/1"): Bring {
  return (scene) => {
    for (const node of scene.nodes) {
      node.tell(name, { kind: "retire" });
      scene.run(RETIRED_MS);
      scene.crash(node);
      scene.heal();
    }
  };
}

/** By then no connection is left. */
const RETIRED_MS = 1100;

/** Until a log that a peer was reading is purged again. */
const PURGED_MS = 60_000;

/** A follower misses so much that it is given a snapshot. */
const leaveBehind: Bring = (scene) => {
  const [node] = scene.followers;
  const end = node?.logSync?.log.durable ?? ZXID_NONE;
  scene.isolate(node);
  const isBehind = (): boolean =>
    scene.nodes.every((each) => each === node || (each.logSync?.log.index.base ?? 0) > end);
  scene.until("the others' logs begin after the node's", isBehind, PURGED_MS);
  scene.heal();
};

/** A node is down while the others go on: readers in its process find that what they missed is no longer kept. */
const fallBehind: Bring = (scene) => {
  scene.crash(scene.followers[0]);
  scene.run(1000);
  scene.heal();
};

/** Clients come while nobody leads, since too few nodes are up. */
const holdClients: Bring = (scene) => {
  const [, ...others] = scene.followers;
  scene.crash(scene.leader);
  for (const node of others) scene.crash(node);
  scene.until("nobody leads", () => scene.nodes.every(({ established }) => !established));
  scene.moveClients();
  scene.run(200);
  scene.heal();
};

/** Answers are withheld for a while, until the leader has heard of their sessions. */
const pause: Bring = (scene) => {
  for (const node of scene.followers) scene.isolate(node);
  scene.run(600);
  scene.heal();
};

const malformed: Bring = (scene) => {
  for (const node of scene.nodes) scene.dial(node).send(new Uint8Array([127, 0, 0, 0]));
};

const sayNothing: Bring = (scene) => {
  for (const node of scene.nodes) scene.dial(node);
};

/** The simulator has nobody who would say it, or nobody ever does: it is told. */
function told<Name extends GatewayName | "admin" | "feed/1">(
  name: Name,
  message: (scene: Scene, node: SimNode) => Inboxes[Name],
): Bring {
  return (scene) => {
    for (const node of scene.nodes) node.tell(name, message(scene, node));
  };
}

function serves({ role }: { readonly role: string }): boolean {
  return role === "following" || role === "leading";
}

/** The connection that the message is about is in this phase. */
function ofPhase(kind: string): Way["is"] {
  return (message, node) => {
    const number = "connection" in message ? message.connection : Object(message)["client"];
    return node.gateway(1)?.connections.get(Number(number))?.phase.kind === kind;
  };
}

function opens(message: object, node: SimNode): boolean {
  return "stream" in message && node.natsGateway(1)?.openings.underWay === message.stream;
}

const TREE_HAS_MEMORY = { kind: "treeMemory", full: false, sessionsFull: false } as const;

/** The word of a listener on one of its connections. */
function ofListener(kind: "drained" | "taken" | "ended"): Bring {
  return told("zookeeper/1", (scene, node) => ({ kind, connection: scene.attached(node) ?? 0 }));
}

/** A question of the server's, for whoever asks over HTTP. */
function facts(gather: FactsQuestion["gather"]): Bring {
  return told("admin", () => ({ kind: "askFacts", request: 1, gather }));
}

/** On the client port nothing stands behind a word. */
function wtch(argument: string): Bring {
  return told("admin", () => ({ kind: "askFacts", request: 1, gather: "wtch", argument }));
}

const admin: Messages<"admin"> = {
  leadership: unseat,
  peers: isolateFollower,
  treeMetrics: comes,
  gatewayReport: comes,
  processReport: comes,
  peersReport: comes,
  laneReport: comes,
  natsReport: comes,
  actorReport: comes,
  serverReport: comes,
  measuresReport: comes,
  electionStep: comes,
  slowRequests: told("admin", () => {
    return { kind: "slowRequests", from: "zookeeper/1", requests: [] };
  }),
  slowStages: told("admin", () => {
    return { kind: "slowStages", from: "zookeeper/1", stages: [{ number: 1, stamps: {} }] };
  }),
  slowRecord: told("admin", () => ({
    ...{ kind: "slowRecord", firstZxid: ZXID_NONE, lastZxid: ZXID_NONE },
    ...{ queueMs: 0, logMs: 0, quorumMs: 0 },
  })),
  clientsGone: told("admin", () => ({ kind: "clientsGone", gateway: "nats/1" })),
  part: [
    way<"admin", "part">("of a gateway", asking("wchp"), ({ from }) => from === "zookeeper/1"),
    way<"admin", "part">("of the sessions", asking("dump"), ({ from }) => from === "sessions"),
    way<"admin", "part">("of a tree", asking("dump"), ({ from }) => from === "tree/1"),
  ],
  fourLetterWord: [
    way<"admin", "fourLetterWord">(
      "that is answered at once",
      word,
      (asked) => asked.word === "mntr",
    ),
    way<"admin", "fourLetterWord">("that others are asked about", asking("dump"), (asked) => {
      return asked.word === "dump";
    }),
  ],
  askFacts: [
    way<"admin", "askFacts">("that is answered at once", facts(undefined), ({ gather }) => {
      return gather === undefined;
    }),
    way<"admin", "askFacts">("that others are asked about", facts("connections"), ({ gather }) => {
      return gather === "connections";
    }),
  ],
};

const election: Messages<"election"> = {
  leadership: (["looking", "establishing", "following", "leading"] as const).map((role) =>
    way<"election", "leadership">(role, unseatOfTwo, (message) => message.role === role),
  ),
  durable: unseatOfTwo,
  look: unseatOfTwo,
  received: unseatOfTwo,
  unheard: unseatOfTwo,
  "timer vote": leaveAlone,
  "timer settle": isolateLeader,
  endOfTurn: restart,
};

const heartbeat: Messages<"heartbeat"> = {
  leadership: [
    way<"heartbeat", "leadership">("of one who leads", unseat, ({ role }) => role === "leading"),
    way<"heartbeat", "leadership">(
      "of one who follows",
      unseat,
      ({ role }) => role === "following",
    ),
  ],
  touched: [
    way("at the leader", comes, (_, node) => node.leads),
    way("at a follower", comes, (_, node) => !node.leads),
  ],
  heard: comes,
  unheard: crashLeader,
  doubted: crashLeader,
  received: comes,
  answered: comes,
  noResponders: crashLeader,
  requestTimedOut: isolateFollower,
  "timer ping": comes,
  "timer quorum": comes,
};

const zookeeper: Messages<"zookeeper/1"> = {
  opened: move,
  bytes: [
    way("a request", comes, ofPhase("attached")),
    way("a handshake", move, ofPhase("opened")),
    way("a handshake that cannot be read", malformed, ofPhase("opened")),
    way<"zookeeper/1", "bytes">("a word", word, ({ bytes }) => {
      return Buffer.from(bytes).toString("latin1") === "mntr";
    }),
  ],
  // Few of the runs have tokens.
  "timer tokens": told("zookeeper/1", () => ({ kind: "timer", timer: "tokens" })),
  // The simulator has no listener that turns clients away.
  refused: told("zookeeper/1", () => {
    return { kind: "refused", remoteAddress: "10.0.0.2:1", reason: "told so" };
  }),
  drained: ofListener("drained"),
  taken: ofListener("taken"),
  ended: ofListener("ended"),
  closed: move,
  written: [
    way("of a request", comes, ofPhase("attached")),
    way("of a session", move, ofPhase("attaching")),
  ],
  readDone: comes,
  sessionChecked: move,
  watchEvents: comes,
  // This gateway opens no streams.
  changes: told("zookeeper/1", () => {
    return { kind: "changes", client: 0, stream: 0, through: ZXID_NONE, changes: [] };
  }),
  compacted: told("zookeeper/1", () => {
    return { kind: "compacted", client: 0, stream: 0, oldest: ZXID_NONE };
  }),
  treeReset: leaveBehind,
  treeMemory: told("zookeeper/1", () => TREE_HAS_MEMORY),
  sessionChanges: move,
  leadership: [
    way("that nobody leads", unseat, (_, node) => node.gateway(1)?.leader.kind === "known"),
    way<"zookeeper/1", "leadership">("that somebody leads, and clients wait", holdClients, serves),
  ],
  leaderHeard: [
    way("nobody waits for it", comes, (_, node) => node.gateway(1)?.sessions.withheld.size === 0),
    way(
      "answers wait for it",
      pause,
      (_, node) => (node.gateway(1)?.sessions.withheld.size ?? 0) > 0,
    ),
  ],
  heldUp: told("zookeeper/1", () => ({ kind: "heldUp", ms: 1 })),
  adminAnswer: word,
  tellMetrics: asking("stat"),
  resetMetrics: asking("srst"),
  tellBusy: asking("busy"),
  tellLatencies: asking("heat"),
  resetConnections: asking("crst"),
  listConnections: asking("cons"),
  listWatches: asking("wchc"),
  watchList: asking("wchp"),
  listConnectedSessions: asking("sess"),
  clientWatches: asking("sess"),
  findWatches: wtch("/"),
  foundWatches: wtch("/"),
  retire: retire("zookeeper/1"),
  "timer retire": retire("zookeeper/1"),
  "timer touch": comes,
  "timer grace": leaveAlone,
  "timer withheld": isolateFollower,
  "timer handshake": sayNothing,
  "timer notes": malformed,
  "timer report": comes,
  endOfTurn: word,
};

const nats: Messages<"nats/1"> = {
  clientMessage: (["open", "request", "ping", "openStream", "closeStream", "credit"] as const).map(
    (kind) =>
      way<"nats/1", "clientMessage">(kind, kind === "open" ? move : comes, ({ bytes }) => {
        return decodeClientFrame(bytes).items[0]?.kind === kind;
      }),
  ),
  written: comes,
  readDone: comes,
  sessionChecked: move,
  // Native clients set no watches.
  watchEvents: told("nats/1", () => ({ kind: "watchEvents", client: 0, events: [] })),
  changes: [
    way("of a stream that is being opened", comes, opens),
    way("of an open stream", comes, (message, node) => !opens(message, node)),
  ],
  compacted: comes,
  heldUp: told("nats/1", () => ({ kind: "heldUp", ms: 1 })),
  adminAnswer: told("nats/1", () => ({ kind: "adminAnswer", client: -1, text: "told so" })),
  tellMetrics: asking("stat"),
  resetMetrics: asking("srst"),
  tellBusy: asking("busy"),
  tellLatencies: asking("heat"),
  listConnectedSessions: asking("sess"),
  findWatches: wtch("/"),
  retire: retire("nats/1"),
  treeReset: leaveBehind,
  treeMemory: told("nats/1", () => TREE_HAS_MEMORY),
  sessionChanges: move,
  leadership: [
    way("that nobody leads", unseat, (_, node) => node.natsGateway(1)?.leader.kind === "known"),
    way<"nats/1", "leadership">(
      "that somebody leads for the first time",
      restart,
      (message, node) => {
        return node.natsGateway(1)?.hasServed === false && serves(message);
      },
    ),
  ],
  leaderHeard: [
    way(
      "nobody waits for it",
      comes,
      (_, node) => node.natsGateway(1)?.sessions.withheld.size === 0,
    ),
    way(
      "answers wait for it",
      pause,
      (_, node) => (node.natsGateway(1)?.sessions.withheld.size ?? 0) > 0,
    ),
  ],
  "timer tick": comes,
  endOfTurn: comes,
};

const changes: Messages<"changes"> = {
  // A reader opens another stream when its own is compacted or has failed, so both come after a failure too.
  openReader: restart,
  taken: comes,
  closeReader: fallBehind,
  leadership: unseat,
  changes: [
    way("of a stream that is being opened", restart, (message, node) => isOpening(message, node)),
    way("of an open stream", comes, (message, node) => !isOpening(message, node)),
  ],
  compacted: fallBehind,
  treeReset: leaveBehind,
};

const feed: Messages<"feed/1"> = {
  leadership: [
    way<"feed/1", "leadership">("of one who leads", unseat, ({ role }) => role === "leading"),
    way<"feed/1", "leadership">("of one who led", unseat, ({ role }, node) => {
      return role !== "leading" && feedOf(node)?.leads === true;
    }),
  ],
  changes: comes,
  // A leader applies too little at once to be outrun by it, and is given no snapshot.
  compacted: told("feed/1", (_, node) => {
    return { kind: "compacted", client: 0, stream: feedOf(node)?.stream ?? 0, oldest: ZXID_NONE };
  }),
  treeReset: told("feed/1", () => ({ kind: "treeReset" })),
  "timer mark": comes,
};

function feedOf(node: SimNode): FeedState | undefined {
  return node.stateOf("feed/1") as FeedState | undefined;
}

function isOpening(message: object, node: SimNode): boolean {
  const state = node.stateOf("changes") as ChangesState | undefined;
  return "stream" in message && state?.opening === message.stream;
}

const reaper: Messages<"reaper"> = {
  leadership: [
    way<"reaper", "leadership">("of one who leads", unseat, ({ role }) => role === "leading"),
    way<"reaper", "leadership">(
      "of one who follows",
      unseat,
      ({ role }, node) => role !== "leading" && reaperOf(node)?.leads === true,
    ),
  ],
  due: [
    way<"reaper", "due">("znodes are due", comes, ({ paths }) => paths.length > 0),
    way<"reaper", "due">("none is due", comes, ({ paths }) => paths.length === 0),
  ],
  "timer look": comes,
};

function reaperOf(node: SimNode): ReaperState | undefined {
  return node.stateOf("reaper") as ReaperState | undefined;
}

export const MESSAGES: { readonly [Name in Survivor]: Messages<Name> } = {
  admin: admin,
  election: election,
  heartbeat: heartbeat,
  "zookeeper/1": zookeeper,
  "nats/1": nats,
  changes: changes,
  "feed/1": feed,
  reaper: reaper,
};
