/** What the gateways of both protocols tell for four-letter words alike: what is asked of them, and the sessions of their connections. */
import { NO_IDENTITIES, type Who } from "../../protocol/identities.ts";
import { formatSession } from "../../protocol/ids.ts";
import type {
  BusyQuestion,
  Group,
  LatenciesQuestion,
  Part,
  SessionFacts,
} from "../admin/messages.ts";
import { tell } from "../inboxes.ts";
import { Listing } from "../listing.ts";
import { servedBy } from "./attachment.ts";
import { takeBusy } from "./busy.ts";
import { latencyCells } from "./latency-map.ts";
import { prefixLatencies } from "./prefix-latencies.ts";
import { shownIdentities } from "./shown-identities.ts";
import type { GatewayConnection, GatewayTurn } from "./gateway-state.ts";

/** A part that lists nothing has this. */
export const NOTHING = { groups: [], omitted: 0 } as const;

export function answerPart<Connection extends GatewayConnection>(
  { state, effects }: GatewayTurn<Connection>,
  question: number,
  content: Omit<Part, "kind" | "question" | "from">,
): void {
  effects.push(tell("admin", { kind: "part", question, from: state.name, ...content }));
}

/** Tells what is asked of it, and by whom. */
export function answerBusy<Connection extends GatewayConnection>(
  turn: GatewayTurn<Connection>,
  { question }: BusyQuestion,
): void {
  answerPart(turn, question, { ...NOTHING, busy: takeBusy(turn.state, turn.nowMs) });
}

/** Tells how long requests took lately. */
export function answerLatencies<Connection extends GatewayConnection>(
  turn: GatewayTurn<Connection>,
  { question }: LatenciesQuestion,
): void {
  const { map, prefixes: byPath } = turn.state.metrics;
  const latencies = latencyCells(map, turn.nowMs);
  const prefixes = prefixLatencies(byPath, turn.nowMs);
  answerPart(turn, question, { ...NOTHING, latencies, prefixes });
}

/** Lists connections until the list is full. One without an entry is left out. */
export function listed<Connection>(
  connections: ReadonlyMap<number, Connection>,
  bytesMax: number,
  entryOf: (connection: Connection) => readonly [group: Group["name"], entry: string] | undefined,
): Pick<Part, "groups" | "omitted"> {
  const listing = new Listing(bytesMax);
  let looked = 0;
  for (const connection of connections.values()) {
    if (listing.isFull) break;
    looked += 1;
    const entry = entryOf(connection);
    if (entry !== undefined) listing.add(...entry);
  }
  listing.omit(connections.size - looked);
  return listing.content;
}

/** What the protocols tell in different ways. */
type OwnFacts = Pick<SessionFacts, "address" | "watches" | "lastZxid" | "lastOperation">;

/** Lists the sessions that have a connection. */
export function listedSessions<
  Connection extends GatewayConnection & {
    readonly who: Who;
    readonly received: number;
    readonly sent: number;
  },
>(
  connections: ReadonlyMap<number, Connection>,
  bytesMax: number,
  ownFacts: (connection: Connection) => OwnFacts,
): Pick<Part, "groups" | "omitted"> {
  return listed(connections, bytesMax, (connection) => {
    const served = servedBy(connection);
    if (served === undefined) return undefined;
    const { received, sent, queue } = connection;
    const { address, ...others } = ownFacts(connection);
    const facts: SessionFacts = {
      session: formatSession(served.session),
      address,
      timeoutMs: served.timeoutMs,
      ...{ received, sent },
      outstanding: queue.length,
      identities: provedBy(connection.who),
      ...others,
    };
    return ["", JSON.stringify(facts)];
  });
}

/** As texts, without the address. Most clients have proved nothing. */
function provedBy({ identities }: Who): readonly string[] {
  if (identities === NO_IDENTITIES) return [];
  const shown = shownIdentities({ identities, address: undefined });
  return shown.map(({ scheme, id }) => `${scheme}:${id}`);
}
