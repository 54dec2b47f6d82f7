/**
 * How an ensemble begins, and how a folder comes to belong to one. A folder that belongs to none greets the others. Their answers
 * say who they are, with whom they were started, which configuration they go by, and whether they have heard of anything that is against
 * an ensemble of theirs. When all other numbers have been heard, each from one folder, all of them without an ensemble too, started
 * with the same members, and none has heard of another ensemble or of two processes of one number, they found one: its first
 * configuration binds each number to the folder that was heard. Whoever hears of a configuration that binds its own folder
 * takes that. A folder is founder of one ensemble for ever: it is durable before it takes part in anything.
 */
import type { PeerSender } from "../../../runtime/transport.ts";
import { type Configuration, foundedBy, identityOf } from "../../../protocol/configuration.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { tell } from "../../inboxes.ts";
import { isForeign, settle } from "./membership.ts";
import type { LogSyncPeerMessage } from "../messages.ts";
import { type LogSyncState, type LogSyncTurn } from "../state.ts";
import { log } from "../effects.ts";
import { broadcast } from "../effects.ts";
import { sendTo } from "../effects.ts";

const GREET_INTERVAL_MS = 100;
/** Until it has greeted so often, what is there has not had the time to answer. */
const GREETINGS_MIN = 3;
/** A node that was not heard for so long is not counted upon when an ensemble is founded. */
const HEARD_MS = 2000;
/** Two folders that were heard under one number within so long are both there. */
const TWIN_MS = 10_000;
/** How many greetings go by between two lines of the log. */
const GREETINGS_A_LINE = 100;

export type Greeting = Extract<LogSyncPeerMessage, { kind: "greeting" }>;

type Heard = { readonly identity: Identity; readonly atMs: number; readonly mayFound: boolean };

/** What a node knows that belongs to no ensemble yet. */
export type Founding = {
  /** Of each other number, the folder that was heard last. */
  readonly heard: Map<ServerId, Heard>;
  /** When two folders were last heard under one number. */
  readonly twinsMs: Map<ServerId, number>;
  /** Of each other number, the members it was started with, if they are not this node's. */
  readonly contradicting: Map<ServerId, string>;
  /** The configuration of an ensemble of these members that does not bind this folder, and when it was heard of. */
  formed: { readonly configuration: Configuration; readonly atMs: number } | undefined;
  /** What is being made durable. */
  adopting: Configuration | undefined;
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

/** Repeated until the folder belongs to an ensemble. */
export function greet(turn: LogSyncTurn): void {
  const { state } = turn;
  const { nowMs } = turn;
  const { founding } = state;
  if (founding === undefined) return;
  founding.greetings += 1;
  broadcast(turn, greetingOf(state, { asks: true, nowMs }));
  turn.effects.push({ kind: "startTimer", timer: "greet", afterMs: GREET_INTERVAL_MS });
  if (founding.greetings % GREETINGS_A_LINE === 0) sayWaiting(turn, founding);
}

export function greetingOf(
  { options, membership, founding }: LogSyncState,
  { asks, nowMs }: { readonly asks: boolean; readonly nowMs: number },
): Greeting {
  const { voters: members } = options;
  const mayFound = founding !== undefined && hearsNothingAgainst(founding, nowMs);
  return { kind: "greeting", members, configuration: membership.settled, asks, mayFound };
}

/** Only what it has heard itself counts: two that took each other's word would do so for ever. */
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

/** Who belongs to this ensemble tells what it knows to be committed: this node's own configuration may be over. */
function learn(turn: LogSyncTurn, sender: PeerSender, { configuration }: Greeting): void {
  const { state } = turn;
  const { settled } = state.membership;
  if (settled === undefined || configuration === undefined || !sender.isVoter) return;
  if (!isForeign(state, configuration)) settle(turn, configuration);
}

/** Two processes have one number, perhaps this node's own: neither is founded upon while both are there. */
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

/** Of the same members: this folder is one of them, or asks to be taken in. */
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

/** From now on for ever: durable before this node takes part in anything. */
function adopt(turn: LogSyncTurn, configuration: Configuration): void {
  const { state } = turn;
  if (state.founding !== undefined) state.founding.adopting = configuration;
  turn.effects.push(tell("log", { kind: "storeConfiguration", configuration, guest: false }));
}

function sayWaiting(turn: LogSyncTurn, founding: Founding): void {
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
