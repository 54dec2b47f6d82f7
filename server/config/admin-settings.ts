/** The settings of the admin server. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type AdminTlsConfig, loadAdminTerms } from "../tls/admin-terms.ts";
import type { TlsConfig } from "../tls/load-terms.ts";
import { type Draft, read, refuse } from "./draft.ts";
import type { MetricsNames, NodeConfig } from "./node-config.ts";
import { clientAuth } from "./tls-settings.ts";
import { address, file, flag, isFolder, type Reading, wholeNumber } from "./values.ts";

type AdminSettings = Pick<
  NodeConfig,
  | "adminServer"
  | "adminPort"
  | "adminAddress"
  | "adminCommandUrl"
  | "adminTokenFile"
  | "adminHttps"
  | "adminKeyStoreFile"
  | "adminKeyStorePasswordFile"
  | "adminTrustStoreFile"
  | "adminClientAuth"
  | "adminCertificateNames"
  | "adminChanges"
  | "adminWrites"
  | "adminAuditFile"
  | "metricsNames"
>;

const PORT_MAX = 65_535;
/** As in ZooKeeper. */
const PORT_DEFAULT = 8080;
const NAMES: readonly MetricsNames[] = ["zookeeper-3.9", "zookeeper-3.10", "both"];
/** Paths of the admin server's own. */
const OWN_PATHS: ReadonlySet<string> = new Set([
  "/livez",
  "/readyz",
  "/metrics",
  "/log-level",
  "/api",
  "/api/v1",
]);

/**
 * Off unless it is asked for: of several nodes on one machine, only one could have ZooKeeper's port. Whoever names a port asks for it.
 */
export function readAdmin(draft: Draft, tls: TlsConfig): AdminSettings {
  const hint = "0 is a free one, which the node prints";
  const tlsSettings = readAdminTls(draft, tls);
  return {
    ...tlsSettings,
    ...readWrites(draft, tlsSettings),
    adminServer: read(draft, "adminServer", flag, draft.settings.has("adminPort")),
    adminPort: read(draft, "adminPort", wholeNumber(0, PORT_MAX, hint), PORT_DEFAULT),
    adminAddress: read(draft, "adminAddress", address, "127.0.0.1"),
    adminCommandUrl: read(draft, "adminCommandUrl", commandUrl, "/commands"),
    adminTokenFile: read<string | undefined>(draft, "adminTokenFile", file, undefined),
    adminChanges: read(draft, "adminChanges", flag, false),
    metricsNames: read<MetricsNames>(draft, "metricsNames", metricsNames, "both"),
  };
}

type AdminTls = Pick<AdminTlsConfig, Exclude<keyof AdminTlsConfig, keyof TlsConfig>> &
  Pick<AdminSettings, "adminCertificateNames">;

function readAdminTls(draft: Draft, tls: TlsConfig): AdminTls {
  const { settings, problems, warnings } = draft;
  const before = problems.length;
  const fileOf = (field: keyof AdminTls): string | undefined =>
    read<string | undefined>(draft, field, file, undefined);
  const asksByDefault = settings.has("adminTrustStoreFile") ? "want" : "none";
  const own: AdminTls = {
    adminHttps: read(draft, "adminHttps", flag, settings.has("adminKeyStoreFile")),
    adminKeyStoreFile: fileOf("adminKeyStoreFile"),
    adminKeyStorePasswordFile: fileOf("adminKeyStorePasswordFile"),
    adminTrustStoreFile: fileOf("adminTrustStoreFile"),
    adminClientAuth: read(draft, "adminClientAuth", clientAuth, asksByDefault),
    adminCertificateNames: read<string | undefined>(
      draft,
      "adminCertificateNames",
      names,
      undefined,
    ),
  };
  const { adminHttps, adminKeyStoreFile, adminTrustStoreFile, adminClientAuth } = own;
  const without = (field: keyof AdminTls, what: string, remedy: string): void => {
    if (settings.has(field)) refuse(draft, field, `has no effect without ${what}`, remedy);
  };
  if (!adminHttps) {
    const remedy = "give admin.forceHttps=true (--admin-https true)";
    without("adminKeyStoreFile", "TLS on the admin server's port", remedy);
    without("adminTrustStoreFile", "TLS on the admin server's port", remedy);
  }
  if (adminKeyStoreFile === undefined) {
    const remedy = "give zooid.adminKeyStoreFile, or put it into ssl.keyStore.passwordPath";
    without("adminKeyStorePasswordFile", "a key store of the admin server's own", remedy);
  }
  const isAsked = adminTrustStoreFile !== undefined && adminClientAuth !== "none";
  if (!isAsked) {
    const remedy = "give zooid.adminTrustStoreFile, and let zooid.adminClientAuth be want or need";
    without("adminCertificateNames", "certificates of operators", remedy);
    if (adminClientAuth !== "none" && !settings.has("adminTrustStoreFile")) {
      refuse(draft, "adminClientAuth", "must be none where no authority is trusted", remedy);
    }
  }
  if (problems.length > before || !adminHttps) return own;
  if (adminKeyStoreFile === undefined && tls.tlsKeyStoreFile === undefined) {
    const remedy = "give zooid.adminKeyStoreFile, or ssl.keyStore.location, a PEM or PKCS12 file";
    refuse(draft, "adminHttps", "needs a key and a certificate", remedy);
    return own;
  }
  const loading = loadAdminTerms({ ...tls, ...own }, Date.now());
  if (loading.kind === "loaded") warnings.push(...loading.warnings);
  else
    for (const problem of loading.problems)
      refuse(draft, problem.field, problem.rule, problem.hint);
  return own;
}

function readWrites(
  draft: Draft,
  { adminClientAuth }: AdminTls,
): Pick<AdminSettings, "adminWrites" | "adminAuditFile"> {
  const { settings } = draft;
  const adminWrites = read(draft, "adminWrites", flag, false);
  const isProven = settings.has("adminTokenFile") || adminClientAuth !== "none";
  if (adminWrites && !isProven) {
    const hint = "give zooid.adminTokenFile, or zooid.adminTrustStoreFile";
    refuse(draft, "adminWrites", "needs that whoever writes can prove who he is", hint);
  }
  if (settings.has("adminAuditFile") && !adminWrites) {
    refuse(draft, "adminAuditFile", "has no effect without changes", "give zooid.adminWrites=true");
  }
  const audit = read<string | undefined>(draft, "adminAuditFile", newFile, undefined);
  return { adminWrites, adminAuditFile: audit };
}

/** A file that need not be there yet, in a folder that is. */
function newFile(text: string): Reading<string> {
  const path = resolve(text);
  const isNamed = text !== "" && !text.includes("\0") && existsSync(dirname(path));
  if (isNamed && !isFolder(path)) return { kind: "read", value: path };
  const hint = "check the path; the file itself is made if it is not there";
  return { kind: "refused", rule: "must name a file in a folder that is there", hint };
}

/** Semicolons stand between them, since names have commas. */
function names(text: string): Reading<string> {
  const isNames = text.split(";").every((name) => /^\s*[A-Za-z0-9.]+=/.test(name));
  if (isNames) return { kind: "read", value: text };
  const rule = "must be names as certificates have them, with semicolons between";
  return { kind: "refused", rule, hint: "for example CN=operator,O=example;CN=prometheus" };
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
