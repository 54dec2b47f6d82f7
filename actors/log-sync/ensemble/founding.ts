/**
 * How an ensemble begins, and how a folder comes to belong to one. A node whose folder belongs to none greets the others. Their answers
 * say who they are, with which members they were started, which configuration they go by, and whether they know of anything against
 * founding an ensemble. A node founds an ensemble when it has a greeting of every other number, each from one folder that belongs to no
 * ensemble and was started with the same members, and when no node knows of another ensemble or of two processes with one number. The
 * first configuration binds each number to the folder that greeted under it, so all founders make the same one. A node that receives a
 * configuration that binds its own folder adopts that. A folder belongs to one ensemble for ever, and that is durable before the node
 * takes part in anything.
 */
import type { PeerSender } from "../../../runtime/transport.ts";
import { type Configuration, foundedBy, identityOf } from "../../../protocol/configuration.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { tell } from "../../inboxes.ts";
import { isForeign, settle } from "./membership.ts";
import type { LogSyncPeerMessage } from "../messages.ts";
import { type LogSyncState, type LogSyncTurn } from "../state.ts";
import { log, broadcast, sendTo } from "../effects.ts";

const GREET_INTERVAL_MS = 100;
/** A node founds nothing before it has sent this many greetings, so that the others have had time to answer. */
const GREETINGS_MIN = 3;
/** Milliseconds after which a greeting no longer counts for founding an ensemble. */
const HEARD_MS = 2000;
/** Two folders that have greeted under one number within this many milliseconds are taken to be there at the same time. */
const TWIN_MS = 10_000;
/** The node's log says that the node waits once for this many greetings. */
const GREETINGS_A_LINE = 100;

export type Greeting = Extract<LogSyncPeerMessage, { kind: "greeting" }>;

type Heard = { readonly identity: Identity; readonly atMs: number; readonly mayFound: boolean };

/** What a node knows of the others while its folder belongs to no ensemble. */
export type Founding = {
  /** Maps each other number to the folder that last greeted under it. */
  readonly heard: Map<ServerId, Heard>;
  /** Maps a number to the time when a second folder last appeared under it. */
  readonly twinsMs: Map<ServerId, number>;
  /** Maps a number to the members with which that node was started, if they are not this node's. */
  readonly contradicting: Map<ServerId, string>;
  /** The configuration of an ensemble of these members that does not bind this folder, and when it was last received. */
  formed: { readonly configuration: Configuration; readonly atMs: number } | undefined;
  /** The configuration that the log is making durable. */
  adopting: Configuration | undefined;
  /** How many greetings were sent. */
  greetings: number;
};

export function newFounding(): Founding {
  return {
    heard: new Map(),
    twinsMs: new Map(),
    contradicting: new Map(),
    formed: undefined,
    adopting: undefined,
    greetings: 0,
  };
}

/** Greets the others, and again at each interval until the folder belongs to an ensemble. */
export function greet(turn: LogSyncTurn): void {
  const { state } = turn;
  const { nowMs } = turn;
  const { founding } = state;
  if (founding === undefined) return;
  founding.greetings += 1;
  broadcast(turn, greetingOf(state, { asks: true, nowMs }));
  turn.effects.push({ kind: "startTimer", timer: "greet", afterMs: GREET_INTERVAL_MS });
  if (founding.greetings % GREETINGS_A_LINE === 0) logWaiting(turn, founding);
}

export function greetingOf(
  { options, membership, founding }: LogSyncState,
  { asks, nowMs }: { readonly asks: boolean; readonly nowMs: number },
): Greeting {
  const { voters: members } = options;
  const mayFound = founding !== undefined && hearsNothingAgainst(founding, nowMs);
  return { kind: "greeting", members, configuration: membership.settled, asks, mayFound };
}

/**
 * Whether this node itself has received nothing against founding an ensemble. What the others report does not count here: two nodes that
 * believed each other's doubt would do so for ever.
 */
function hearsNothingAgainst({ formed, twinsMs, greetings }: Founding, nowMs: number): boolean {
  if (greetings < GREETINGS_MIN) return false;
  if (formed !== undefined && nowMs - formed.atMs < TWIN_MS) return false;
  return ![...twinsMs.values()].some((atMs) => nowMs - atMs < TWIN_MS);
}

export function receiveGreeting(
  turn: LogSyncTurn,
  from: ServerId,
  { sender, greeting }: { readonly sender: PeerSender; readonly greeting: Greeting },
): void {
  const { state } = turn;
  const { nowMs } = turn;
  if (greeting.asks) sendTo(turn, from, greetingOf(state, { asks: false, nowMs }));
  const { founding, options } = state;
  learn(turn, sender, greeting);
  if (founding === undefined || founding.adopting !== undefined) return;
  const { members, configuration } = greeting;
  if (members.join() !== options.voters.join()) {
    contradicted(turn, founding, from, members);
    return;
  }
  founding.contradicting.delete(from);
  if (configuration !== undefined) {
    hearOfEnsemble(turn, founding, configuration);
    return;
  }
  const atMs = turn.nowMs;
  const before = founding.heard.get(from);
  if (before !== undefined && before.identity !== sender.identity && atMs - before.atMs < TWIN_MS) {
    twinHeard(turn, from);
  }
  const { mayFound } = greeting;
  founding.heard.set(from, { identity: sender.identity, atMs, mayFound });
  foundIfAllAreHeard(turn, founding);
}

/**
 * A voter of this node's ensemble greets with the configuration that it knows to be committed. It may be later than this node's own, and so may
 * be the one that makes it a voter: then its folder is named in this node's log.
 */
function learn(turn: LogSyncTurn, sender: PeerSender, { configuration }: Greeting): void {
  const { state } = turn;
  const { settled } = state.membership;
  if (settled === undefined || configuration === undefined) return;
  if (!sender.isVoter && !sender.isNamed) return;
  if (!isForeign(state, configuration)) settle(turn, configuration);
}

/** Two processes have one number, perhaps this node's own. Nothing is founded while both are there. */
export function twinHeard(turn: LogSyncTurn, id: ServerId): void {
  const { state } = turn;
  const { nowMs } = turn;
  const { founding } = state;
  if (founding === undefined) return;
  if (!founding.twinsMs.has(id)) {
    log(turn, "twoProcessesOfOneId", {
      id,
    });
  }
  founding.twinsMs.set(id, nowMs);
}

function contradicted(
  turn: LogSyncTurn,
  founding: Founding,
  from: ServerId,
  theirs: readonly ServerId[],
): void {
  const { state } = turn;
  founding.heard.delete(from);
  const members = theirs.join(",");
  if (founding.contradicting.get(from) === members) return;
  founding.contradicting.set(from, members);
  log(turn, "otherMembers", {
    node: from,
    itsMembers: members,
    members: state.options.voters.join(","),
  });
}

/** An ensemble of the same members exists. If it has bound this folder, that is adopted; otherwise this node will ask to join. */
function hearOfEnsemble(turn: LogSyncTurn, founding: Founding, configuration: Configuration): void {
  const { state } = turn;
  const { nowMs } = turn;
  const { options, membership } = state;
  const ids = configuration.voters.map(({ id }) => id);
  if (ids.join() !== options.voters.join()) return;
  if (identityOf(configuration, options.server) === membership.identity) {
    adopt(turn, configuration);
    return;
  }
  if (founding.formed?.configuration.ensembleId !== configuration.ensembleId) {
    log(turn, "numberTaken", {
      ensembleId: configuration.ensembleId,
    });
  }
  const known = founding.formed?.configuration;
  const isNewer =
    known?.ensembleId !== configuration.ensembleId || known.version < configuration.version;
  founding.formed = { configuration: isNewer ? configuration : known, atMs: nowMs };
}

function foundIfAllAreHeard(turn: LogSyncTurn, founding: Founding): void {
  const { state } = turn;
  const { nowMs } = turn;
  const { options, membership } = state;
  if (!hearsNothingAgainst(founding, nowMs)) return;
  const founders = [{ id: options.server, identity: membership.identity }];
  for (const id of options.voters) {
    const heard = founding.heard.get(id);
    if (id === options.server) continue;
    if (heard === undefined || nowMs - heard.atMs > HEARD_MS || !heard.mayFound) return;
    founders.push({ id, identity: heard.identity });
  }
  adopt(turn, foundedBy(founders));
}

/** Adopts a configuration that binds this folder. The log makes that durable before this node takes part in anything. */
function adopt(turn: LogSyncTurn, configuration: Configuration): void {
  const { state } = turn;
  if (state.founding !== undefined) state.founding.adopting = configuration;
  turn.effects.push(tell("log", { kind: "storeConfiguration", configuration, guest: false }));
}

function logWaiting(turn: LogSyncTurn, founding: Founding): void {
  const { state } = turn;
  const { options } = state;
  if (founding.formed !== undefined) {
    log(turn, "waitingForAdmission", {
      ensembleId: founding.formed.configuration.ensembleId,
    });
    return;
  }
  const missing = options.voters.filter((id) => id !== options.server && !founding.heard.has(id));
  log(turn, "noEnsembleYet", {
    notHeardOf: missing.join(" "),
    twoProcesses: [...founding.twinsMs.keys()].join(" "),
    otherMembers: [...founding.contradicting.keys()].join(" "),
  });
}
