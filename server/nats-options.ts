/** How this node connects to NATS. Secrets come from files or the environment, so that no command line and no log has them. */
import { readFileSync } from "node:fs";
import type { NatsLog, NatsOptions } from "../runtime/nats/link.ts";
import { NatsError } from "../runtime/nats/nats-error.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { environmentCredentials } from "./nats-environment.ts";
import { NatsTls, natsTlsFiles } from "./tls/nats-terms.ts";

type Credentials = Pick<NatsOptions, "user" | "password" | "token" | "creds">;

/**
 * Throws a `NatsError` when a file cannot be used. Those of TLS are read again when they have changed and a server is connected to; `log` hears that
 * they then cannot be used. Default: nobody, for a command that connects once.
 */
export function natsOptions(
  config: NodeConfig,
  log: NatsLog = () => undefined,
): Pick<NatsOptions, "servers" | "tls" | "silenceMs"> & Credentials {
  const tls = natsTlsFiles(config).length === 0 ? undefined : new NatsTls(config, log);
  return {
    servers: config.natsUrls,
    silenceMs: config.peerTimeoutMs,
    ...credentials(config.natsCredentialsFile),
    ...(tls !== undefined && { tls: () => tls.material }),
  };
}

function credentials(file: string | undefined): Credentials {
  return file === undefined ? environmentCredentials() : readCredentials(file);
}

function readCredentials(file: string): Credentials {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NatsError("ZOOID_NATS_OPTIONS", `the NATS credentials cannot be read (${why})`);
  }
  if (text.includes("BEGIN NATS USER JWT")) return { creds: text };
  const line = text.trim();
  const colon = line.indexOf(":");
  if (colon > 0 && colon < line.length - 1 && !line.includes("\n")) {
    return { user: line.slice(0, colon), password: line.slice(colon + 1) };
  }
  // The message does not quote the file, which may hold a secret.
  throw new NatsError(
    "ZOOID_NATS_OPTIONS",
    `the NATS credentials in ${file} are neither one line user:password nor a .creds file`,
  );
}
