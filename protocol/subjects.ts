/**
 * Every NATS subject of zooid. All begin with `zooid.<ensemble>`, so that ensembles can share a NATS server:
 *
 *   peer.<id>.<actor>             from a node to one node
 *   all.<actor>                   from a node to every other node
 *   answer.<id>.<nonce>.<n>       the answer to request n of a node's process
 *   operator.<id>, operator.all   from an operator to a node, or to all of them
 *   operator-answer.<operator>    a node's answer to that operator
 *   gateway                       from a native client to whichever gateway takes it
 *   gateway.<id>.<lane>           from a native client to the gateway that serves it
 *   gateway.all.word              a four-letter word, from whoever may be a native client to every node
 *   gateway.<id>.word             the same to one node
 *   client.<client>.<connection>  from a gateway to one connection of a native client
 *   changes.<name>.<name>…        the change feed, from the leader to whoever subscribes (`feed.ts`)
 *
 * `nats.conf` permits them to its users; `test/unit/protocol/subjects.test.ts` compares the two.
 */

const ENSEMBLE_NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** What `isEnsembleName` demands, for messages. */
export const ENSEMBLE_NAME_RULE = "1 to 64 letters, digits, _ or -";

/** An ensemble's name is one token of each of its subjects. */
export function isEnsembleName(name: string): boolean {
  return ENSEMBLE_NAME.test(name);
}

/** The subjects of the nodes, each up to the tokens that differ from message to message. */
export type PeerSubjects = {
  readonly toNode: string;
  readonly toAll: string;
  readonly answers: string;
};

export function peerSubjects(ensemble: string): PeerSubjects {
  const root = `zooid.${ensemble}`;
  return { toNode: `${root}.peer.`, toAll: `${root}.all.`, answers: `${root}.answer.` };
}

/** Operators ask a node here; all nodes hear `all`. */
export function operatorSubject(ensemble: string, node: number | "all"): string {
  return `zooid.${ensemble}.operator.${node}`;
}

/** The beginning of the subjects of answers to operators. A node answers nowhere else. */
export function operatorAnswerPrefix(ensemble: string): string {
  return `zooid.${ensemble}.operator-answer.`;
}

/** A client that no gateway serves yet asks here; the gateways of all nodes share the subject as a queue group. */
export function gatewaySubject(ensemble: string): string {
  return `zooid.${ensemble}.gateway`;
}

/** The gateway of one lane of a node hears its clients here. */
export function laneSubject(ensemble: string, server: number, lane: number): string {
  return `${gatewaySubject(ensemble)}.${server}.${lane}`;
}

/** One node hears four-letter words here, or each, which then answers for itself. */
export function wordSubject(ensemble: string, server: number | "all"): string {
  return `${gatewaySubject(ensemble)}.${server}.word`;
}

/** Those that a node hears. */
export function wordSubjects(ensemble: string, server: number): readonly string[] {
  return [wordSubject(ensemble, "all"), wordSubject(ensemble, server)];
}

/** A client hears here: each of its connections has a subject of its own. */
export function inboxSubject(ensemble: string, client: string, connection: number): string {
  return `${inboxPrefix(ensemble)}${client}.${connection}`;
}

/** The beginning of every client's inbox. A gateway publishes nowhere else, whatever a client asks for. */
export function inboxPrefix(ensemble: string): string {
  return `zooid.${ensemble}.client.`;
}

/** The beginning of the subjects of the change feed, to which only the leader publishes. No node hears them. */
export function feedPrefix(ensemble: string): string {
  return `zooid.${ensemble}.changes.`;
}
