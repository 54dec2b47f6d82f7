/** The settings with which an operator's command finds the nodes: those of a node, on the command line or in its `zoo.cfg`. */
import { KEYS } from "../../server/config/keys.ts";
import { loadConfig } from "../../server/config/load.ts";
import { type NodeConfig, type Problem, problemsText } from "../../server/config/node-config.ts";
import { EXIT_FAILED, EXIT_MISUSED, messageOf } from "../command.ts";
import type { Flag } from "../flags.ts";
import { Nodes } from "./nodes.ts";

const NAMES: ReadonlySet<string> = new Set([
  "ensemble",
  "nats",
  "nats-credentials-file",
  "nats-tls-ca",
  "nats-tls-cert",
  "nats-tls-key",
  "peer-key-file",
]);

export const NODE_FLAGS: readonly Flag[] = [
  { name: "config", placeholder: "FILE", summary: "the zoo.cfg of a node; flags win over it" },
  ...KEYS.filter(({ flag }) => NAMES.has(flag)).map(({ flag, placeholder, summary }) => {
    return { name: flag, placeholder, summary };
  }),
];

/** Runs `work` with a connection to the nodes, and says what is wrong. Returns the exit code. */
export async function withNodes(
  command: string,
  flags: ReadonlyMap<string, string>,
  work: (nodes: Nodes) => Promise<number>,
): Promise<number> {
  const complain = (text: string): void => console.error(`zooid ${command}: ${text}`);
  const config = configOf(flags);
  if (typeof config === "string") {
    complain(config);
    return EXIT_MISUSED;
  }
  let nodes: Nodes | undefined;
  try {
    nodes = await Nodes.connect(config);
    return await work(nodes);
  } catch (error) {
    complain(messageOf(error));
    return EXIT_FAILED;
  } finally {
    await nodes?.close();
  }
}

/** Only what names the nodes counts: the command may run where the rest of the file would be wrong, as on another host. */
function configOf(flags: ReadonlyMap<string, string>): NodeConfig | string {
  const read = loadConfig({ transport: "nats", flags, file: flags.get("config") });
  const given = new Map<string, string>();
  for (const { field, flag } of KEYS) {
    const setting = read.settings.get(field);
    if (NAMES.has(flag) && setting !== undefined) given.set(flag, setting.value);
  }
  const unread = read.kind === "invalid" ? read.problems.filter(isOfFile) : [];
  if (unread.length > 0) return problemsText(unread);
  const loaded = loadConfig({ transport: "nats", flags: given, file: undefined });
  if (loaded.kind === "invalid") return problemsText(loaded.problems);
  if (loaded.config.natsUrls.length > 0) return loaded.config;
  return "nodes are asked over NATS: give --nats URL, or --config with the zoo.cfg of a node";
}

/** The file as a whole cannot be read, or is no configuration. */
function isOfFile({ field }: Problem): boolean {
  return field === "config";
}

/** Why nobody has answered. */
export function nobodyText(nodes: Nodes): string {
  return nodes.hasOtherKey
    ? "nodes have answered with another key: give their --peer-key-file"
    : "no node has answered: is the --ensemble right, are these the credentials of a node, and do nodes want a --peer-key-file?";
}
