/**
 * The answer to `conf`: the configuration under ZooKeeper's names, in its order. It has no secrets: what authenticates nodes and clients
 * is not part of it.
 */
import type { ServerId } from "../../protocol/ids.ts";

export type ShownConfiguration = {
  /** As configured; 0 is any free one, and undefined none. */
  readonly clientPort: number | undefined;
  readonly secureClientPort?: number | undefined;
  readonly clientPortBacklog: number;
  readonly dataDir: string;
  readonly dataLogDir?: string | undefined;
  readonly tickTimeMs: number;
  readonly maxClientConnections: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly initLimit: number;
  readonly syncLimit: number;
};

type Shown = {
  readonly server: ServerId;
  readonly members: readonly ServerId[];
  readonly configuration: ShownConfiguration | undefined;
  readonly clientPort: number | undefined;
  readonly secureClientPort: number | undefined;
  readonly folderBytes: number;
  readonly logFolderBytes: number;
};

/** What ZooKeeper prints for a port that is not open. */
const NONE = -1;
/** ZooKeeper's only election, and the type of a voter. */
const ELECTION = 3;
const VOTER = 0;

export function configurationText(shown: Shown): string {
  const { server, members, configuration, folderBytes, logFolderBytes } = shown;
  if (configuration === undefined) return "";
  const { dataDir, dataLogDir = dataDir } = configuration;
  const lines: [string, string | number][] = [
    ["clientPort", shown.clientPort ?? configuration.clientPort ?? NONE],
    ["secureClientPort", shown.secureClientPort ?? configuration.secureClientPort ?? NONE],
    ["dataDir", dataDir],
    ["dataDirSize", folderBytes],
    ["dataLogDir", dataLogDir],
    ["dataLogSize", logFolderBytes],
    ["tickTime", configuration.tickTimeMs],
    ["maxClientCnxns", configuration.maxClientConnections],
    ["minSessionTimeout", configuration.minSessionTimeoutMs],
    ["maxSessionTimeout", configuration.maxSessionTimeoutMs],
    ["clientPortListenBacklog", configuration.clientPortBacklog],
    ["serverId", server],
  ];
  if (members.length > 1) {
    lines.push(["initLimit", configuration.initLimit], ["syncLimit", configuration.syncLimit]);
    // Nodes meet over NATS: they have no ports for each other.
    lines.push(["electionAlg", ELECTION], ["electionPort", NONE], ["quorumPort", NONE]);
    lines.push(["peerType", VOTER]);
  }
  const text = lines.map(([name, value]) => `${name}=${value}\n`).join("");
  return members.length > 1 ? `${text}${membershipText(members)}` : text;
}

function membershipText(members: readonly ServerId[]): string {
  const servers = members.map((member) => `server.${member}=participant\n`);
  return `membership: \n${servers.join("")}version=0\n`;
}
