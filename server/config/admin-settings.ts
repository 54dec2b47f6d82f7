/** The settings of the admin server. */
import { type Draft, read } from "./draft.ts";
import type { MetricsNames, NodeConfig } from "./node-config.ts";
import { address, file, flag, type Reading, wholeNumber } from "./values.ts";

type AdminSettings = Pick<
  NodeConfig,
  | "adminServer"
  | "adminPort"
  | "adminAddress"
  | "adminCommandUrl"
  | "adminTokenFile"
  | "adminChanges"
  | "metricsNames"
>;

const PORT_MAX = 65_535;
/** As in ZooKeeper. */
const PORT_DEFAULT = 8080;
const NAMES: readonly MetricsNames[] = ["zookeeper-3.9", "zookeeper-3.10", "both"];
/** Paths of the admin server's own. */
const OWN_PATHS: ReadonlySet<string> = new Set(["/livez", "/readyz", "/metrics", "/log-level"]);

/**
 * Off unless it is asked for: of several nodes on one machine, only one could have ZooKeeper's port. Whoever names a port asks for it.
 */
export function readAdmin(draft: Draft): AdminSettings {
  const hint = "0 is a free one, which the node prints";
  return {
    adminServer: read(draft, "adminServer", flag, draft.settings.has("adminPort")),
    adminPort: read(draft, "adminPort", wholeNumber(0, PORT_MAX, hint), PORT_DEFAULT),
    adminAddress: read(draft, "adminAddress", address, "127.0.0.1"),
    adminCommandUrl: read(draft, "adminCommandUrl", commandUrl, "/commands"),
    adminTokenFile: read<string | undefined>(draft, "adminTokenFile", file, undefined),
    adminChanges: read(draft, "adminChanges", flag, false),
    metricsNames: read<MetricsNames>(draft, "metricsNames", metricsNames, "both"),
  };
}

function commandUrl(text: string): Reading<string> {
  // ZooKeeper takes a path with or without the slash at its end.
  const path = text.replace(/\/\*?$/, "");
  if (/^(\/[\w.~-]+)+$/.test(path) && !OWN_PATHS.has(path)) return { kind: "read", value: path };
  const rule = "must be a path of letters, digits and hyphens that is none of the server's own";
  return { kind: "refused", rule, hint: "for example /commands" };
}

function metricsNames(text: string): Reading<MetricsNames> {
  const value = NAMES.find((name) => name === text);
  if (value !== undefined) return { kind: "read", value };
  const hint = "zookeeper-3.10 has counters with _total behind their names";
  return { kind: "refused", rule: `must be one of ${NAMES.join(", ")}`, hint };
}
