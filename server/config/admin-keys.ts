/** How the settings of the admin server are called on the command line and in a configuration file. */
import { type Key, key } from "./key.ts";

export const ADMIN_KEYS: readonly Key[] = [
  key(
    "adminServer",
    "admin-server true|false",
    "admin.enableServer",
    "health, metrics and commands over HTTP (default: if a port for it is given)",
  ),
  key(
    "adminPort",
    "admin-port N",
    "admin.serverPort",
    "its TCP port, 0: a free one (default 8080)",
  ),
  key(
    "adminAddress",
    "admin-address A",
    "admin.serverAddress",
    "address it is bound to (default 127.0.0.1)",
  ),
  key(
    "adminCommandUrl",
    "admin-command-url /PATH",
    "admin.commandURL",
    "where ZooKeeper's commands are (default /commands)",
  ),
  key(
    "adminTokenFile",
    "admin-token-file FILE",
    "zooid.adminTokenFile",
    "a token that requests have to show (default: none)",
  ),
  key(
    "adminHttps",
    "admin-https true|false",
    "admin.forceHttps",
    "TLS on that port (default: where it has a key store of its own)",
  ),
  key(
    "adminKeyStoreFile",
    "admin-key-store FILE",
    "zooid.adminKeyStoreFile",
    "its key and certificates, PEM or PKCS12 (default: those for clients)",
  ),
  key(
    "adminKeyStorePasswordFile",
    "admin-key-store-password-file FILE",
    "zooid.adminKeyStorePasswordFile",
    "the password of that store (default: none)",
  ),
  key(
    "adminTrustStoreFile",
    "admin-trust-store FILE",
    "zooid.adminTrustStoreFile",
    "authorities of operators' certificates (default: none are asked for)",
  ),
  key(
    "adminClientAuth",
    "admin-client-auth need|want|none",
    "zooid.adminClientAuth",
    "whether operators must show a certificate (default want, with a trust store)",
  ),
  key(
    "adminCertificateNames",
    "admin-certificate-names CN=X;…",
    "zooid.adminCertificateNames",
    "the names of operators (default: all that are trusted)",
  ),
  key(
    "adminChanges",
    "admin-changes true|false",
    "zooid.adminChanges",
    "carry out commands that change something (default false)",
  ),
  key(
    "adminWrites",
    "admin-writes true|false",
    "zooid.adminWrites",
    "change znodes for whoever shows a token or a certificate (default false)",
  ),
  key(
    "adminAuditFile",
    "admin-audit-file FILE",
    "zooid.adminAuditFile",
    "a line for each such change (default: in the log)",
  ),
];
