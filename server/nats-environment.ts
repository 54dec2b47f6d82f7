/** The credentials for NATS in the environment of a process, which only its own user can read; everybody can read command lines. */
import {
  type NatsCredentials,
  natsCredentials,
  withoutCredentials,
} from "../runtime/nats/servers.ts";

type Variables = Readonly<Record<string, string>>;

const VARIABLES: readonly (readonly [keyof NatsCredentials, string])[] = [
  ["user", "ZOOID_NATS_USER"],
  ["password", "ZOOID_NATS_PASSWORD"],
  ["token", "ZOOID_NATS_TOKEN"],
];

/** A variable that is empty counts as not set. */
export function environmentCredentials(): NatsCredentials {
  const given = VARIABLES.map(([field, variable]) => [field, process.env[variable] ?? ""] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

/** The URLs without their credentials, and the environment that gives a child process those credentials. */
export function asEnvironment(natsUrls: readonly string[]): {
  readonly urls: readonly string[];
  readonly variables: Variables;
} {
  const urls = natsUrls.map((url) => new URL(url));
  const credentials = natsCredentials({ urls, ...environmentCredentials() });
  const variables = VARIABLES.flatMap(([field, variable]) => {
    const value = credentials[field];
    return value === undefined ? [] : [[variable, value] as const];
  });
  return { urls: natsUrls.map(withoutCredentials), variables: Object.fromEntries(variables) };
}
