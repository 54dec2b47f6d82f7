/** What the admin server shows and asks for by TLS: its own stores, or the key store of the client port. */
import type { TlsTerms } from "../../runtime/connections/tls/terms.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { loadTerms, type TlsConfig, tlsFiles } from "./load-terms.ts";
import type { Loading } from "./reload.ts";

export type AdminTlsConfig = TlsConfig &
  Pick<
    NodeConfig,
    | "adminHttps"
    | "adminKeyStoreFile"
    | "adminKeyStorePasswordFile"
    | "adminTrustStoreFile"
    | "adminClientAuth"
  >;

/** The settings under whose names the admin server's stores are read. */
function storesOf(config: AdminTlsConfig): TlsConfig {
  const { adminKeyStoreFile, adminKeyStorePasswordFile, adminTrustStoreFile } = config;
  const own = adminKeyStoreFile !== undefined;
  return {
    tlsKeyStoreFile: own ? adminKeyStoreFile : config.tlsKeyStoreFile,
    tlsKeyStorePassword: own ? undefined : config.tlsKeyStorePassword,
    tlsKeyStorePasswordFile: own ? adminKeyStorePasswordFile : config.tlsKeyStorePasswordFile,
    tlsKeyStoreType: own ? undefined : config.tlsKeyStoreType,
    // Clients of the tree are not operators: their authorities are trusted here only where they are named again.
    tlsTrustStoreFile: adminTrustStoreFile,
    tlsTrustStorePassword: undefined,
    tlsTrustStorePasswordFile: undefined,
    tlsTrustStoreType: undefined,
    tlsClientAuth: config.adminClientAuth,
    tlsCrlFile: undefined,
    tlsProtocols: config.tlsProtocols,
    tlsCiphers: config.tlsCiphers,
  };
}

export function adminTlsFiles(config: AdminTlsConfig): readonly string[] {
  return config.adminHttps ? tlsFiles(storesOf(config)) : [];
}

/** `config` has the admin server speak TLS. */
export function loadAdminTerms(
  config: AdminTlsConfig,
  wallMs: number,
): Loading<TlsTerms, keyof AdminTlsConfig> {
  const loading = loadTerms(storesOf(config), wallMs);
  if (loading.kind === "loaded") return loading;
  const problems = loading.problems.map((problem) => ({
    ...problem,
    field: fieldOf(problem.field, config),
  }));
  return { kind: "failed", problems };
}

function fieldOf(field: keyof TlsConfig, config: AdminTlsConfig): keyof AdminTlsConfig {
  if (field.startsWith("tlsTrustStore")) return "adminTrustStoreFile";
  if (config.adminKeyStoreFile === undefined || !field.startsWith("tlsKeyStore")) return field;
  const isPassword = field.startsWith("tlsKeyStorePassword");
  return isPassword && config.adminKeyStorePasswordFile !== undefined
    ? "adminKeyStorePasswordFile"
    : "adminKeyStoreFile";
}
