/** The files that say who a node is to NATS and to its peers. What those of TLS hold is looked at here as well. */
import { loadNatsTls, natsTlsFiles } from "../tls/nats-terms.ts";
import { type Draft, read, refuse } from "./draft.ts";
import type { NodeConfig } from "./node-config.ts";
import { file } from "./values.ts";

type NatsFiles = Pick<
  NodeConfig,
  "natsCredentialsFile" | "natsTlsCaFile" | "natsTlsCertFile" | "natsTlsKeyFile" | "peerKeyFile"
>;

export function readNatsFiles(draft: Draft): NatsFiles {
  const { settings, problems, warnings } = draft;
  const before = problems.length;
  const fileOf = (field: keyof NatsFiles): string | undefined =>
    read<string | undefined>(draft, field, file, undefined);
  const files = {
    natsCredentialsFile: fileOf("natsCredentialsFile"),
    natsTlsCaFile: fileOf("natsTlsCaFile"),
    natsTlsCertFile: fileOf("natsTlsCertFile"),
    natsTlsKeyFile: fileOf("natsTlsKeyFile"),
    peerKeyFile: fileOf("peerKeyFile"),
  };
  if (settings.has("natsTlsCertFile") !== settings.has("natsTlsKeyFile")) {
    const [given, missing] = settings.has("natsTlsCertFile")
      ? (["natsTlsCertFile", "--nats-tls-key"] as const)
      : (["natsTlsKeyFile", "--nats-tls-cert"] as const);
    refuse(draft, given, "a certificate and its key belong together", `give ${missing} as well`);
  }
  if (problems.length > before || natsTlsFiles(files).length === 0) return files;
  const loading = loadNatsTls(files, Date.now());
  if (loading.kind === "loaded") warnings.push(...loading.warnings);
  else for (const { field, rule, hint } of loading.problems) refuse(draft, field, rule, hint);
  return files;
}
