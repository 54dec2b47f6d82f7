/** Which ensemble a command is about, and as whom: from flags, else from the environment. */
import { readFileSync } from "node:fs";
import { type Client, connect, type ConnectOptions, type Identity } from "../../client/connect.ts";
import { messageOf } from "../command.ts";
import type { Io } from "./context.ts";
import { MisusedError } from "./exit-codes.ts";
import type { Given } from "./given.ts";
import { type Flag, isPositive } from "./spec.ts";

/** Where both Apache ZooKeeper and `zooid serve` listen by default. */
const SERVER_DEFAULT = "zk://127.0.0.1:2181";
const TIMEOUT_MS_DEFAULT = 10_000;
/** A shell may be suspended for a while. */
export const SHELL_SESSION_TIMEOUT_MS = 30_000;

/** The variable of the environment that stands in for a flag. */
const VARIABLES: Readonly<Record<string, string>> = {
  server: "ZOOID_SERVER",
  ensemble: "ZOOID_ENSEMBLE",
  auth: "ZOOID_AUTH",
  sasl: "ZOOID_SASL",
  "tls-ca": "ZOOID_TLS_CA",
  "tls-cert": "ZOOID_TLS_CERT",
  "tls-key": "ZOOID_TLS_KEY",
  "timeout-ms": "ZOOID_TIMEOUT_MS",
};

export const CONNECTION_FLAGS: readonly Flag[] = [
  {
    name: "server",
    placeholder: "URL",
    summary: `zk://host:port,host:port/chroot, zks://… with TLS, nats://host:port or tls://…; @FILE reads it from a file (default ZOOID_SERVER, else ${SERVER_DEFAULT})`,
  },
  {
    name: "ensemble",
    placeholder: "NAME",
    summary: "over NATS, which ensemble (default ZOOID_ENSEMBLE, else zooid)",
  },
  {
    name: "auth",
    placeholder: "USER:PASSWORD",
    summary:
      "who you are to lists of the scheme digest; other users of the host see flags, but not ZOOID_AUTH",
    repeats: true,
  },
  {
    name: "sasl",
    placeholder: "USER:PASSWORD",
    summary: "over zk://, log in by SASL's DIGEST-MD5 (default ZOOID_SASL)",
  },
  {
    name: "tls-ca",
    placeholder: "FILE",
    summary:
      "who signs the servers' certificates, PEM (default ZOOID_TLS_CA, else public authorities)",
    completes: "file",
  },
  {
    name: "tls-cert",
    placeholder: "FILE",
    summary: "your certificate, PEM (default ZOOID_TLS_CERT)",
    completes: "file",
  },
  {
    name: "tls-key",
    placeholder: "FILE",
    summary: "its key, PEM (default ZOOID_TLS_KEY)",
    completes: "file",
  },
  {
    name: "timeout-ms",
    placeholder: "N",
    summary: `how long connecting, and each operation, may take (default ZOOID_TIMEOUT_MS, else ${TIMEOUT_MS_DEFAULT})`,
    rule: isPositive,
  },
  {
    name: "session-timeout-ms",
    placeholder: "N",
    summary: `how long the ensemble keeps the session of a client that is silent (default 10000; in the shell ${SHELL_SESSION_TIMEOUT_MS})`,
    rule: isPositive,
  },
];

export type Target = {
  readonly url: string;
  readonly options: ConnectOptions & { readonly operationTimeoutMs: number };
};

/** Throws a MisusedError. */
export function targetOf(given: Given, env: Io["env"]): Target {
  const value = (flag: string): string | undefined => {
    const text = given.value(flag) ?? env[VARIABLES[flag] ?? ""];
    return text === "" ? undefined : text;
  };
  const timeout = value("timeout-ms");
  const problem = timeout === undefined ? undefined : isPositive(timeout);
  if (problem !== undefined) throw new MisusedError(`ZOOID_TIMEOUT_MS is ${timeout}: ${problem}`);
  const timeoutMs = timeout === undefined ? TIMEOUT_MS_DEFAULT : Number(timeout);
  const ensemble = value("ensemble");
  const sasl = value("sasl");
  const auth = given.has("auth") ? given.values("auth") : [value("auth") ?? []].flat();
  const files = {
    ...fieldOf("caFile", value("tls-ca")),
    ...fieldOf("certFile", value("tls-cert")),
    ...fieldOf("keyFile", value("tls-key")),
  };
  const sessionTimeoutMs = given.number("session-timeout-ms");
  return {
    url: urlOf(value("server") ?? SERVER_DEFAULT),
    options: {
      ...{ name: "zooid console", connectTimeoutMs: timeoutMs, operationTimeoutMs: timeoutMs },
      ...(ensemble === undefined ? {} : { ensemble }),
      ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
      ...(auth.length === 0 ? {} : { identities: auth.map((text) => identityOf("auth", text)) }),
      ...(sasl === undefined ? {} : { sasl: identityOf("sasl", sasl) }),
      ...(Object.keys(files).length === 0 ? {} : { tls: files }),
    },
  };
}

/** The same, somewhere else. Throws a MisusedError. */
export function targetAt(url: string, { options }: Target): Target {
  return { url: urlOf(url), options };
}

/** Opens a session, unless the signal aborts first. */
export async function open({ url, options }: Target, signal: AbortSignal): Promise<Client> {
  const connecting = connect(url, options);
  const client = await Promise.race([connecting, abortOf(signal)]);
  if (client !== undefined) return client;
  void connecting.then(
    (late) => late.close(),
    () => undefined,
  );
  throw signal.reason;
}

/** The URL without users and passwords. */
export function shownUrl(url: string): string {
  return url.replaceAll(/\/\/[^/@,]*@/g, "//");
}

/** Throws a MisusedError if it has no colon. */
export function identityOf(flag: string, text: string): Identity {
  const colon = text.indexOf(":");
  if (colon < 1) throw new MisusedError(`--${flag} is USER:PASSWORD`);
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function urlOf(text: string): string {
  const url = text.startsWith("@") ? textOf(text.slice(1)) : text;
  if (/^[a-z]+:\/\//i.test(url)) return url;
  throw new MisusedError(
    `"${shownUrl(url)}" is no URL of an ensemble: write zk://host:port or nats://host:port`,
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new MisusedError(`--server @${file}: ${messageOf(error)}`, { cause: error });
  }
}

function fieldOf(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

/** Resolves when the signal aborts. */
export function abortOf(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
