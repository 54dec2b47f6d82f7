/** How certificates are used: lines for a node's file, for a NATS server, for clients. */
import { join } from "node:path";
import { isIP } from "node:net";
import { NODES_DEFAULT } from "./command.ts";
import { AUTHORITY, DEFAULT_NAMES, NATS, type Plan } from "./plan.ts";

/** What stands in a node's `zoo.cfg`. */
export function settingsOf(
  folder: string,
  { nodes, names }: Plan,
): Readonly<Record<string, string>> {
  const [node = ""] = nodes;
  const authority = join(folder, `${AUTHORITY}.crt`);
  return {
    secureClientPort: "2281",
    "ssl.keyStore.location": join(folder, `${node}.pem`),
    "ssl.trustStore.location": authority,
    "zooid.nats": `tls://${hostOf(names)}:4222`,
    "zooid.natsTlsCaFile": authority,
    "zooid.natsTlsCertFile": join(folder, `${node}.crt`),
    "zooid.natsTlsKeyFile": join(folder, `${node}.key`),
  };
}

/** One for which the certificates are, as it stands in a URL. A name with a star is none: whoever has only those puts a name in its place. */
function hostOf(names: Plan["names"]): string {
  const host = (names ?? DEFAULT_NAMES).find((name) => !name.includes("*")) ?? "HOST";
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** `zooid ensemble` uses the certificate of `node`, on this machine. */
function servesEnsemble({ nodes, names }: Plan): boolean {
  const isOfThisMachine = (names ?? DEFAULT_NAMES).some((name) => DEFAULT_NAMES.includes(name));
  return nodes.includes(NODES_DEFAULT) && isOfThisMachine;
}

export function adviceLines(folder: string, plan: Plan): readonly string[] {
  const { nodes, clients, names } = plan;
  const host = hostOf(names);
  const path = (name: string, extension: string): string => join(folder, `${name}.${extension}`);
  const authority = path(AUTHORITY, "crt");
  const [client = ""] = clients;
  const files = { caFile: authority, certFile: path(client, "crt"), keyFile: path(client, "key") };
  const settings = Object.entries(settingsOf(folder, plan));
  const tls = `{ tls: ${JSON.stringify(files)} }`;
  return [
    "",
    `A node (zoo.cfg${nodes.length > 1 ? `; each with its own of ${nodes.join(", ")}` : ""}):`,
    ...settings.map(([key, value]) => `  ${key}=${value}`),
    "",
    "nats-server (nats.conf):",
    `  tls { cert_file: "${path(NATS, "crt")}", key_file: "${path(NATS, "key")}", ca_file: "${authority}", verify: true }`,
    ...(servesEnsemble(plan)
      ? ["", `All on this machine: zooid ensemble --nats-certs ${folder}`]
      : []),
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
          `  connect("zks://${host}:2281", ${tls})`,
          `  connect("tls://${host}:4222", ${tls})`,
          "",
          "The console:",
          `  export ZOOID_SERVER=zks://${host}:2281 ZOOID_TLS_CA=${files.caFile} ZOOID_TLS_CERT=${files.certFile} ZOOID_TLS_KEY=${files.keyFile}`,
        ]),
  ];
}
