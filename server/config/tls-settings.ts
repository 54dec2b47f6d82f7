/** The ports for clients, and the settings of TLS on them. What the files of keys and certificates hold is looked at here as well. */
import { TLS_VERSIONS, type TlsVersion } from "../../runtime/connections/tls/terms.ts";
import { cipherSuites } from "../tls/cipher-suites.ts";
import { loadTerms, type TlsConfig } from "../tls/load-terms.ts";
import { type Draft, read, refuse } from "./draft.ts";
import type { NodeConfig } from "./node-config.ts";
import {
  address,
  anyText,
  file,
  listOf,
  type Reading,
  type Reader,
  wholeNumber,
  flag,
} from "./values.ts";

type Ports = Pick<
  NodeConfig,
  "clientPort" | "secureClientPort" | "secureClientPortAddress" | "tlsOnClientPort" | "tlsReload"
>;

const CLIENT_PORT_DEFAULT = 2181;

export function readTls(draft: Draft): Ports & TlsConfig {
  const { settings, problems, warnings } = draft;
  const before = problems.length;
  const ports = readPorts(draft);
  const tls = readStores(draft);
  const isWanted = ports.secureClientPort !== undefined || ports.tlsOnClientPort;
  if (!isWanted) {
    const idle = settings.get("tlsKeyStoreFile");
    if (idle !== undefined) {
      warnings.push(
        `${idle.source}: the key store has no effect without a port for TLS: give secureClientPort, or client.portUnification=true`,
      );
    }
    return { ...ports, ...tls };
  }
  if (problems.length > before) return { ...ports, ...tls };
  const loading = loadTerms(tls, Date.now());
  if (loading.kind === "loaded") warnings.push(...loading.warnings);
  else for (const { field, rule, hint } of loading.problems) refuse(draft, field, rule, hint);
  return { ...ports, ...tls };
}

function readPorts(draft: Draft): Ports {
  const { settings } = draft;
  const port = wholeNumber(0, 65_535, "0 takes any free port");
  const some = (field: "clientPort" | "secureClientPort", byDefault?: number): number | undefined =>
    read<number | undefined>(draft, field, port, byDefault);
  const isSecureOnly = settings.has("secureClientPort") && !settings.has("clientPort");
  const tlsOnClientPort = read(draft, "tlsOnClientPort", flag, false);
  if (isSecureOnly && tlsOnClientPort) {
    const rule = "must not be asked for where there is no client port";
    refuse(draft, "tlsOnClientPort", rule, "give clientPort too, or leave the line out");
  }
  return {
    clientPort: some("clientPort", isSecureOnly ? undefined : CLIENT_PORT_DEFAULT),
    secureClientPort: some("secureClientPort"),
    secureClientPortAddress: read(draft, "secureClientPortAddress", address, "::"),
    tlsOnClientPort,
    tlsReload: read(draft, "tlsReload", flag, true),
  };
}

function readStores(draft: Draft): TlsConfig {
  type Text = Exclude<keyof TlsConfig, "tlsClientAuth" | "tlsProtocols">;
  const some = (field: Text, reader: Reader<string>): string | undefined =>
    read<string | undefined>(draft, field, reader, undefined);
  return {
    tlsKeyStoreFile: some("tlsKeyStoreFile", file),
    tlsKeyStorePassword: some("tlsKeyStorePassword", anyText),
    tlsKeyStorePasswordFile: some("tlsKeyStorePasswordFile", file),
    tlsKeyStoreType: some("tlsKeyStoreType", anyText),
    tlsTrustStoreFile: some("tlsTrustStoreFile", file),
    tlsTrustStorePassword: some("tlsTrustStorePassword", anyText),
    tlsTrustStorePasswordFile: some("tlsTrustStorePasswordFile", file),
    tlsTrustStoreType: some("tlsTrustStoreType", anyText),
    tlsCrlFile: some("tlsCrlFile", file),
    tlsClientAuth: read(draft, "tlsClientAuth", clientAuth, "need"),
    tlsProtocols: read<readonly TlsVersion[]>(draft, "tlsProtocols", versions, TLS_VERSIONS),
    tlsCiphers: some("tlsCiphers", cipherSuites),
  };
}

export function clientAuth(text: string): Reading<TlsConfig["tlsClientAuth"]> {
  const word = text.toLowerCase();
  if (word === "need" || word === "want" || word === "none") return { kind: "read", value: word };
  const hint = "need: clients without a certificate are turned away; want: they may have none";
  return { kind: "refused", rule: "must be need, want or none", hint };
}

function versions(text: string): Reading<readonly TlsVersion[]> {
  const named = listOf(text);
  const known = TLS_VERSIONS.filter((version) => named.includes(version));
  if (known.length > 0 && named.every((name) => TLS_VERSIONS.some((version) => version === name))) {
    return { kind: "read", value: known };
  }
  const rule = `must name versions of TLS, ${TLS_VERSIONS.join(" or ")}, with commas between`;
  return { kind: "refused", rule, hint: "older versions can be broken, and are not offered" };
}
