/**
 * The users and passwords of an ensemble's own nats-server. They are made at every start and written to files that only this user can
 * read: one for the server, one for the nodes, one for native clients. No password is printed or given on a command line.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PASSWORD_BYTES = 24;
const SECRET_MODE = 0o600;
const NODE_USER = "node";
const CLIENT_USER = "client";

export type NatsCredentials = {
  /** The configuration for `nats-server -c`. */
  readonly serverFile: string;
  /** The credentials for `zooid serve --nats-credentials-file`. */
  readonly nodeFile: string;
  /** The file that `writeClientUrl` makes: it contains the URL with which a native client connects. */
  readonly clientUrlFile: string;
  /** To be called when the server's port is known. */
  readonly writeClientUrl: (url: string) => void;
};

/** Makes `folder`, and the files in it. `certs`: a folder of `zooid certs`, for a server that speaks TLS. */
export function makeNatsCredentials(folder: string, certs: string | undefined): NatsCredentials {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [nodePassword, clientPassword] = [newPassword(), newPassword()];
  const serverFile = join(folder, "nats-server.conf");
  const nodeFile = join(folder, "nats-node.credentials");
  const clientUrlFile = join(folder, "nats-client.url");
  writeSecret(serverFile, serverConfig(nodePassword, clientPassword) + tlsConfig(certs));
  writeSecret(nodeFile, `${NODE_USER}:${nodePassword}\n`);
  return {
    serverFile,
    nodeFile,
    clientUrlFile,
    writeClientUrl: (url) => {
      const at = url.replace("://", `://${CLIENT_USER}:${clientPassword}@`);
      writeSecret(clientUrlFile, `${at}\n`);
    },
  };
}

/** Returns a password in hexadecimal, which needs no encoding in a URL. */
function newPassword(): string {
  return randomBytes(PASSWORD_BYTES).toString("hex");
}

/** Writes a file that only this user can read, even if it exists already with other rights. */
function writeSecret(file: string, text: string): void {
  writeFileSync(file, "", { mode: SECRET_MODE });
  chmodSync(file, SECRET_MODE);
  writeFileSync(file, text);
}

/** Everybody has to show a certificate of the same authority. */
function tlsConfig(certs: string | undefined): string {
  if (certs === undefined) return "";
  const [cert, key, ca] = ["nats.crt", "nats.key", "ca.crt"].map((file) =>
    JSON.stringify(join(certs, file)),
  );
  return `tls { cert_file: ${cert}, key_file: ${key}, ca_file: ${ca}, verify: true, timeout: 10 }\n`;
}

/** Returns a configuration with the users of `nats.conf` and their permissions. */
function serverConfig(nodePassword: string, clientPassword: string): string {
  return `# Written by zooid ensemble at every start.
authorization {
  # Seconds: on a busy machine a node may take more than the usual two to say who it is.
  timeout: 10
  users: [
    {
      user: "${NODE_USER}", password: "${nodePassword}"
      permissions: { publish: ["zooid.>"], subscribe: ["zooid.>"] }
    }
    {
      user: "${CLIENT_USER}", password: "${clientPassword}"
      permissions: {
        publish: ["zooid.*.gateway", "zooid.*.gateway.*.*"]
        subscribe: ["zooid.*.client.>", "zooid.*.changes.>"]
      }
    }
  ]
}
`;
}
