/**
 * What clients see at `/zookeeper/config`. Its text is made when it is read: who the members are and how often that has changed stand in
 * the log, their addresses in the configuration of the node that answers, as in ZooKeeper. So nothing of it is replicated state.
 * Sources: QuorumMaj.toString and ZKDatabase.initConfigInZKDatabase.
 */
import { isPublic } from "../../protocol/access.ts";
import { CONFIG_PATH } from "../../protocol/paths.ts";
import type { ReadResult } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { TreeState, TreeTurn } from "./state.ts";
import { appendChange } from "./store/change-ring.ts";
import { fireData, takeEvents } from "./watch/watches.ts";

/** As in ZooKeeper, where no client ever sets it. */
const VERSION = -1;

/** The zxid of the record that has made the configuration, and its text; undefined if nothing is shown. */
function shown({
  options,
  configuration,
}: TreeState): { readonly since: Zxid; readonly data: Uint8Array } | undefined {
  const { servers } = options;
  if (servers.length === 0 || configuration === undefined) return undefined;
  const { since } = configuration;
  const text = `${servers.join("\n")}\nversion=${since.toString(16)}`;
  return { since, data: new TextEncoder().encode(text) };
}

/** What a read of the znode at `path` is answered, given what the znodes say. */
export function withConfiguration(tree: TreeState, path: string, result: ReadResult): ReadResult {
  if (path !== CONFIG_PATH || result.kind === "error" || !("stat" in result)) return result;
  const config = shown(tree);
  if (config === undefined) return result;
  const stat = statOf(result.stat, config.since, config.data.length);
  return result.kind === "data" ? { ...result, data: config.data, stat } : { ...result, stat };
}

function statOf(stat: Stat, since: Zxid, dataLength: number): Stat {
  return { ...stat, mzxid: since, version: VERSION, dataLength };
}

/** Whether the configuration has changed after the zxid: a watch that is set again fires then. */
export function isConfigurationAfter(tree: TreeState, path: string, zxid: Zxid): boolean {
  return path === CONFIG_PATH && (shown(tree)?.since ?? 0) > zxid;
}

/** Tells watches and change streams of another configuration, which the tree has taken from the record with this zxid. */
export function tellConfiguration(turn: TreeTurn, zxid: Zxid): void {
  const { state: tree } = turn;
  const config = shown(tree);
  const znode = tree.znodes.find(CONFIG_PATH);
  if (config === undefined || znode === undefined) return;
  const { since, data } = config;
  const stat = statOf(tree.znodes.stat(znode), since, data.length);
  const acl = tree.znodes.acl(znode);
  const isClosed = !isPublic(acl);
  appendChange(tree.ring, zxid, { kind: "data", path: CONFIG_PATH, stat, data, isClosed });
  fireData(tree.watches, CONFIG_PATH, zxid, acl, () => tree.znodes.parentAcl(CONFIG_PATH));
  takeEvents(turn);
}
