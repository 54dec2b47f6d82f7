/**
 * What a node logs while it has known no leader for a while: who is missing, and what an operator can do. It says so of what it hears: a
 * node whose folder is not of the ensemble counts for nothing, however long it is there.
 */
import type { Observable } from "rxjs";
import type { ServerId } from "../protocol/ids.ts";
import type { Leadership } from "../protocol/replication.ts";
import type { EventDetail } from "../runtime/effects.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { type NodeGate, type PeerContact, short } from "./peer-gate.ts";

const REPORT_INTERVAL_MS = 10_000;
const PAGE = "docs/operations/backup.md";

export type MissingLeader = {
  readonly id: ServerId;
  readonly members: readonly ServerId[];
  readonly dataDir: string;
  /** Undefined: this node's folder belongs to no ensemble. */
  readonly ensembleId: string | undefined;
  /** The other nodes that were heard since the last report. */
  readonly contacts: readonly PeerContact[];
};

/** Calls `say` now and then while the node knows no leader. The returned function ends it. */
export function reportMissingLeader(
  config: Pick<NodeConfig, "id" | "members" | "dataDir">,
  of: { readonly gate: NodeGate; readonly leadership$: Observable<Leadership> },
  { nowMs, say }: { readonly nowMs: () => number; readonly say: (detail: EventDetail) => void },
): () => void {
  const { id, members, dataDir } = config;
  if (members.length === 1) return () => undefined;
  const { gate, leadership$ } = of;
  let hasLeader = false;
  let sinceMs = nowMs();
  const subscription = leadership$.subscribe(({ role }) => {
    const has = role === "leading" || role === "following";
    if (hasLeader && !has) sinceMs = nowMs();
    hasLeader = has;
  });
  const timer = setInterval(() => {
    const passedMs = nowMs() - sinceMs;
    if (hasLeader || passedMs < REPORT_INTERVAL_MS) return;
    const contacts = gate.contacts(nowMs() - REPORT_INTERVAL_MS);
    const { ensembleId } = gate;
    const detail = missingLeader({ id, members, dataDir, ensembleId, contacts });
    say({ seconds: Math.floor(passedMs / 1000), ...detail });
  }, REPORT_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    subscription.unsubscribe();
  };
}

/** The fields of the log line. */
export function missingLeader(of: MissingLeader): EventDetail {
  const { id, members, ensembleId, contacts } = of;
  const needed = Math.floor(members.length / 2) + 1;
  const present = new Set(contacts.map((contact) => contact.id));
  const notHeardOf = members.filter((member) => member !== id && !present.has(member));
  const silent = notHeardOf.length === 0 ? {} : { notHeardOf: notHeardOf.join(" ") };
  if (ensembleId === undefined) return { ...silent, ...ofNone(contacts) };
  const voters = contacts.filter(({ isVoter }) => isVoter).map((contact) => contact.id);
  const others = contacts.filter(({ isVoter }) => !isVoter).map((contact) => contact.id);
  const counting = [id, ...voters].sort((a, b) => a - b);
  const otherFolders = others.length === 0 ? {} : { otherFolders: others.join(" ") };
  return {
    counting: counting.join(" "),
    needed,
    ...silent,
    ...otherFolders,
    hint: hintFor(of, { isQuorum: counting.length >= needed, others, notHeardOf }),
  };
}

/** This node waits to be taken in, or for an ensemble to be founded, of which log-sync says what is missing. */
function ofNone(contacts: readonly PeerContact[]): EventDetail {
  const members = contacts.filter(({ ensembleId }) => ensembleId !== undefined);
  const [first] = members;
  if (first === undefined) return { hint: "the ensemble is founded once all members are up" };
  const of = members.map(({ id }) => id).join(" ");
  return {
    ensembleOf: of,
    hint: `node ${of} belongs to ensemble ${short(first.ensembleId ?? "")} and this folder does not: it is taken in once a majority of the ensemble's own folders is up. If those are lost, begin a new ensemble with what is left: zooid backup of the folder of node ${of}, zooid restore for every node; see ${PAGE}`,
  };
}

function hintFor(
  { id, dataDir }: MissingLeader,
  {
    isQuorum,
    others,
    notHeardOf,
  }: {
    readonly isQuorum: boolean;
    readonly others: readonly ServerId[];
    readonly notHeardOf: readonly ServerId[];
  },
): string {
  if (isQuorum) {
    return `a majority is there and elects nobody: look for withoutVote in the logs of the others. Nodes with empty folders beside restored ones are restored, too, from the same backup; see ${PAGE}`;
  }
  if (others.length === 0) return `start node ${notHeardOf.join(", ")}`;
  return `the folders of node ${others.join(", ")} are not those of this ensemble, so they count for nothing: put their own folders back. If those are lost, stop all nodes and begin a new ensemble with what node ${id} holds: zooid backup ${dataDir} zooid.backup, then zooid restore zooid.backup for every node; see ${PAGE}`;
}
