/** The doors by which ZooKeeper's clients come in, as the configuration has them. */
import type { DoorOptions, ListenAddress } from "../../runtime/connections/door.ts";
import type { TlsTerms } from "../../runtime/connections/tls/terms.ts";
import { realClock } from "../../runtime/real-clock.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { loadTerms } from "../tls/load-terms.ts";

/** Undefined: there is no such port. 0: a free one is taken. */
export type ClientPorts = {
  readonly clientPort: number | undefined;
  readonly secureClientPort: number | undefined;
};

/** Undefined: nobody speaks TLS. Throws if a file is no longer as it was when the configuration was checked. */
export function tlsTermsOf(config: NodeConfig): TlsTerms | undefined {
  if (config.secureClientPort === undefined && !config.tlsOnClientPort) return undefined;
  const loading = loadTerms(config, realClock.wallMs());
  if (loading.kind === "loaded") return loading.terms;
  const problems = loading.problems.map(({ field, rule }) => `${field} ${rule}`);
  throw new Error(`no TLS for clients: ${problems.join("; ")}`);
}

/** The door without TLS comes first. */
export function doorsOf(
  config: NodeConfig & { readonly lanes: number },
  { clientPort, secureClientPort }: ClientPorts,
  terms: TlsTerms | undefined,
): readonly DoorOptions[] {
  const shared = { reusePort: config.lanes > 1, backlog: config.clientPortBacklog };
  const doors: DoorOptions[] = [];
  if (clientPort !== undefined) {
    const host = config.clientPortAddress;
    const tls = config.tlsOnClientPort && terms !== undefined && { terms, orPlain: true };
    doors.push({ ...shared, host, port: clientPort, ...(tls && { tls }) });
  }
  if (secureClientPort !== undefined && terms !== undefined) {
    const host = config.secureClientPortAddress;
    doors.push({ ...shared, host, port: secureClientPort, tls: { terms } });
  }
  return doors;
}

/** The ports that were taken, where free ones were asked for. */
export function takenPorts(wanted: ClientPorts, addresses: readonly ListenAddress[]): ClientPorts {
  const left = [...addresses];
  const next = (port: number | undefined): number | undefined =>
    port === undefined ? undefined : left.shift()?.port;
  return {
    clientPort: next(wanted.clientPort),
    secureClientPort: next(wanted.secureClientPort),
  };
}
