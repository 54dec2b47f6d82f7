/**
 * Which configurations this node goes by: the last one that it knows to be committed, and the later ones in its log. Every change of them
 * is emitted for the gate, and a committed configuration is made durable in the folder.
 */
import { logEvent } from "../../log-event.ts";
import { emit } from "../../topics.ts";
import { assert } from "../../../protocol/assert.ts";
import {
  type Configuration,
  decodeConfiguration,
  identityOf,
} from "../../../protocol/configuration.ts";
import type { Identity } from "../../../protocol/identity.ts";
import {
  isConfigurationRecord,
  recordConfiguration,
  recordHeader,
  recordPayload,
} from "../../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { Standing } from "../messages.ts";
import { countedOf } from "../../quorum.ts";
import type { LogSyncState, LogSyncTurn } from "../state.ts";

/** Whether this node's folder is bound to its number in the committed configuration. Otherwise the node only follows. */
export function isBound({ membership, options }: LogSyncState): boolean {
  const { settled, identity } = membership;
  return settled !== undefined && identityOf(settled, options.server) === identity;
}

/** Whether a configuration is of another ensemble or of other members. No leader of this node's ensemble sends such a one. */
export function isForeign(
  { membership, options }: LogSyncState,
  configuration: Configuration,
): boolean {
  const { settled } = membership;
  const ids = configuration.voters.map(({ id }) => id);
  return settled?.ensembleId !== configuration.ensembleId || ids.join() !== options.voters.join();
}

/** What is wrong with the configuration in a record of a leader. Undefined: the record may enter the log. */
export function foreignFault(state: LogSyncState, record: Uint8Array): string | undefined {
  const configuration = recordConfiguration(record);
  if (configuration === undefined || !isForeign(state, configuration)) return undefined;
  return "it has a configuration of another ensemble";
}

/** Must be called when a record enters the log: notes the configuration in it, if there is one. */
export function noteRecord(turn: LogSyncTurn, record: Uint8Array): void {
  const { state } = turn;
  if (!isConfigurationRecord(record)) return;
  const { membership } = state;
  const configuration = decodeConfiguration(recordPayload(record));
  assert(configuration !== undefined, "a record of a configuration holds one");
  const { settled } = membership;
  if (settled !== undefined && configuration.version <= settled.version) return;
  const { lastZxid: zxid } = recordHeader(record);
  membership.logged = [...membership.logged, { zxid, configuration }];
  standingChanged(turn);
}

/** Removes everything after this zxid from the index, from memory, and from the configurations of the log. */
export function cutAfter(turn: LogSyncTurn, zxid: Zxid): void {
  const { state } = turn;
  state.log.index.truncateAfter(zxid);
  state.log.recent.removeAfter(zxid);
  const { membership } = state;
  const kept = membership.logged.filter((logged) => logged.zxid <= zxid);
  if (kept.length === membership.logged.length) return;
  membership.logged = kept;
  standingChanged(turn);
}

/** Must be called when everything up to this zxid is committed: settles the last configuration up to there. */
export function settleThrough(turn: LogSyncTurn, zxid: Zxid): void {
  const { state } = turn;
  const [first] = state.membership.logged;
  if (first === undefined || first.zxid > zxid) return;
  const last = state.membership.logged.findLast((logged) => logged.zxid <= zxid);
  if (last !== undefined) settle(turn, last.configuration);
}

/** Goes by this configuration from now on. It is committed, whether or not this node's log has its record. */
export function settle(turn: LogSyncTurn, configuration: Configuration): void {
  const { state } = turn;
  const { membership, options } = state;
  const { settled, identity } = membership;
  if (settled !== undefined && configuration.version <= settled.version) return;
  const wasBound = isBound(state);
  membership.settled = configuration;
  membership.logged = membership.logged.filter(
    (logged) => logged.configuration.version > configuration.version,
  );
  const guest = identityOf(configuration, options.server) !== identity;
  turn.effects.push(tell("log", { kind: "storeConfiguration", configuration, guest }));
  const detail = {
    version: configuration.version,
    committed: formatZxid(state.delivery.committed),
  };
  turn.effects.push(logEvent("configurationLearned", detail));
  standingChanged(turn);
  if (guest && wasBound) stopReplaced(turn);
}

/** Stops this node, since its number is bound to another folder. */
export function stopReplaced(turn: LogSyncTurn): void {
  const { options } = turn.state;
  turn.effects.push({
    kind: "stopNode",
    reason: `node ${options.server} was replaced while it was away: the ensemble has bound its number to another folder. What is here was left as it is, and is not needed any more.`,
  });
}

/** Must be called when the identity or a configuration has changed: counts the voters again, and tells the gate. */
export function standingChanged(turn: LogSyncTurn): void {
  const { state } = turn;
  const { membership } = state;
  const { settled, identity, incarnation } = membership;
  membership.counted = countedOf(settled, membership.logged);
  const named = new Set<Identity>();
  for (const { configuration } of membership.logged) addNamed(named, configuration);
  if (settled !== undefined) addNamed(named, settled);
  const value: Standing = {
    kind: "standing",
    identity,
    incarnation,
    ensembleId: settled?.ensembleId,
    version: settled?.version ?? 0,
    voters: membership.counted,
    named,
  };
  turn.effects.push(emit("standing", value));
}

function addNamed(named: Set<Identity>, { voters }: Configuration): void {
  for (const { identity } of voters) named.add(identity);
}
