/** How certificates are used: lines for a node's file, for a NATS server, for clients. */
import { join } from "node:path";
import { AUTHORITY, NATS, type Plan } from "./plan.ts";

/** What stands in a node's `zoo.cfg`. */
export function settingsOf(folder: string, node: string): Readonly<Record<string, string>> {
  const authority = join(folder, `${AUTHORITY}.crt`);
  return {
    secureClientPort: "2281",
    "ssl.keyStore.location": join(folder, `${node}.pem`),
    "ssl.trustStore.location": authority,
    "zooid.nats": "tls://localhost:4222",
    "zooid.natsTlsCaFile": authority,
    "zooid.natsTlsCertFile": join(folder, `${node}.crt`),
    "zooid.natsTlsKeyFile": join(folder, `${node}.key`),
  };
}

export function adviceLines(folder: string, { nodes, clients }: Plan): readonly string[] {
  const path = (name: string, extension: string): string => join(folder, `${name}.${extension}`);
  const authority = path(AUTHORITY, "crt");
  const [client = ""] = clients;
  const files = { caFile: authority, certFile: path(client, "crt"), keyFile: path(client, "key") };
  const settings = Object.entries(settingsOf(folder, nodes[0] ?? ""));
  const tls = `{ tls: ${JSON.stringify(files)} }`;
  return [
    "",
    `A node (zoo.cfg${nodes.length > 1 ? `; each with its own of ${nodes.join(", ")}` : ""}):`,
    ...settings.map(([key, value]) => `  ${key}=${value}`),
    "",
    "nats-server (nats.conf):",
    `  tls { cert_file: "${path(NATS, "crt")}", key_file: "${path(NATS, "key")}", ca_file: "${authority}", verify: true }`,
    "",
    `All on this machine: zooid ensemble --nats-certs ${folder}`,
    ...(client === ""
      ? []
      : [
          "",
          "A node's admin server over TLS, for whom the certificate names:",
          `  zooid.adminKeyStoreFile=${path(nodes[0] ?? "", "pem")}`,
          `  zooid.adminTrustStoreFile=${authority}`,
          `  zooid.adminCertificateNames=CN=${client}`,
          "",
          "Clients (zooid/client):",
          `  connect("zks://localhost:2281", ${tls})`,
          `  connect("tls://localhost:4222", ${tls})`,
          "",
          "The console:",
          `  export ZOOID_SERVER=zks://localhost:2281 ZOOID_TLS_CA=${files.caFile} ZOOID_TLS_CERT=${files.certFile} ZOOID_TLS_KEY=${files.keyFile}`,
        ]),
  ];
}
