/** A gateway asks the tree of its lane, which answers reads, and the submitter, which has writes logged. */
import type { SessionId } from "../../protocol/ids.ts";
import type { Identity, Who } from "../../protocol/identities.ts";
import type { ClientOperation, Operation } from "../../protocol/operations.ts";
import { tell } from "../inboxes.ts";
import { type Served, servedBy, type SessionWish } from "./attachment.ts";
import { countRun } from "./busy.ts";
import { isOfNoEpoch } from "./contact.ts";
import type { GatewayConnection, GatewayTurn } from "./gateway-state.ts";
import type { Run } from "./request-queue.ts";

/** Asks the tree whether the password is the session's. Nothing happens to the session before that is known. */
export function checkSession<Connection extends GatewayConnection>(
  { state, effects }: GatewayTurn<Connection>,
  connection: Connection,
  { session, password }: SessionWish,
): void {
  const { name: from, lane, contact, sessions, epoch } = state;
  if (isOfNoEpoch(session, epoch)) {
    contact.probing = true;
    sessions.impossible.add(connection);
  }
  const check = { kind: "checkSession", from, client: connection.number, password } as const;
  effects.push(tell(`tree/${lane}`, { ...check, session: session as SessionId }));
}

/** Asks the submitter for an operation of the connection that is no request of its client. */
export function submit<Connection extends GatewayConnection>(
  { state, effects }: GatewayTurn<Connection>,
  { number: client }: Connection,
  operation: Operation,
): void {
  const { name: from, lane } = state;
  effects.push(tell(`submitter/${lane}`, { kind: "write", from, client, operations: [operation] }));
}

const NONE: readonly ClientOperation[] = [];

/** Hands on the requests of the connection that may go now. Returns the last writes among them. */
export function dispatch<Connection extends GatewayConnection>(
  turn: GatewayTurn<Connection>,
  connection: Connection,
  answerBytesMax: number,
  writable: boolean,
): readonly ClientOperation[] {
  const { queue, number: client, answered } = connection;
  const { admission } = turn.state;
  const served = servedBy(connection);
  let written = NONE;
  while (served !== undefined && queue.undispatched) {
    const run = queue.dispatch({ answerBytesMax, writable, admission });
    sendRun(turn, { served, client, answered, run, answerBytesMax });
    if (run.writes.length > 0) written = run.writes;
    if (!run.goesOn) break;
  }
  return written;
}

type Sent = {
  readonly served: Served;
  readonly client: number;
  readonly answered: number | undefined;
  readonly run: Run;
  readonly answerBytesMax: number;
};

function sendRun<Connection extends GatewayConnection>(
  { state, effects, nowMs }: GatewayTurn<Connection>,
  { served, client, answered, run, answerBytesMax }: Sent,
): void {
  const { name: from, lane } = state;
  if (state.busy !== undefined) countRun(state, served.session, run, nowMs);
  const { who, reads, writes, travelling } = run;
  if (reads.length > 0) {
    const bytesMax = run.mayCut ? answerBytesMax : Number.MAX_SAFE_INTEGER;
    const message = { kind: "read", from, client, who, reads, answerBytesMax: bytesMax } as const;
    effects.push(tell(`tree/${lane}`, message));
  }
  if (writes.length > 0 || travelling.length > 0) {
    const { session, attachedAt } = served;
    const proved = provedBy(who);
    const operations = writes.map((operation, index): Operation => {
      if (answered === undefined) {
        return { kind: "client", session, attachedAt, ...proved, operation };
      }
      const request = { number: run.numbers[index] ?? 0, answered };
      return { kind: "client", session, attachedAt, ...proved, request, operation };
    });
    const message = { kind: "write", from, client, operations, travelling } as const;
    effects.push(tell(`submitter/${lane}`, message));
  }
}

const NOTHING_PROVED = {};

/** The address is known from the operation that attached the session. */
function provedBy({ identities }: Who): { readonly identities?: readonly Identity[] } {
  return identities.length === 0 ? NOTHING_PROVED : { identities };
}

/**
 * Lets the tree forget what it keeps for the connection: its watches, its change streams, its question for a password. The submitter
 * says so again behind the reads that are on their way there.
 */
export function forgetInTree<Connection extends GatewayConnection>(
  { state, effects }: Pick<GatewayTurn<Connection>, "state" | "effects">,
  { number: client }: Pick<Connection, "number">,
): void {
  const { name: from, lane } = state;
  effects.push(tell(`submitter/${lane}`, { kind: "forget", from, client }));
  effects.push(tell(`tree/${lane}`, { kind: "forget", from, client }));
}
