/** What is to be made, out of the flags. All that is wrong with them is reported at once. */
import { isIP } from "node:net";
import {
  CLIENTS_DEFAULT,
  DAYS_DEFAULT,
  DAYS_MAX,
  NAMES_DEFAULT,
  NODES_DEFAULT,
} from "./command.ts";

/** The authority's files are `ca.crt` and `ca.key`. */
export const AUTHORITY = "ca";
export const NATS = "nats";

export type Plan = {
  /** Undefined: none were given, so a renewal keeps those that a certificate has. */
  readonly names: readonly string[] | undefined;
  readonly nodes: readonly string[];
  readonly clients: readonly string[];
  readonly days: number;
  readonly renews: boolean;
};

export const DEFAULT_NAMES: readonly string[] = NAMES_DEFAULT.split(",");

const CERTIFICATES_MAX = 1000;
const FILE_NAME = /^[A-Za-z0-9][\w.-]{0,59}$/;
/** A host's name of RFC 1123, also with underscores, as containers have, or with a star for its first label. */
const HOST_NAME =
  /^(?=.{1,253}$)(\*\.)?([A-Za-z0-9_]([\w-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([\w-]{0,61}[A-Za-z0-9_])?)*$/;

export function planOf(flags: ReadonlyMap<string, string>): Plan | readonly string[] {
  const problems: string[] = [];
  const renews = flags.has("renew");
  const list = (flag: string, byDefault: string): readonly string[] => {
    const text = flags.get(flag) ?? byDefault;
    return [...new Set(text.split(",").map((each) => each.trim()))].filter((each) => each !== "");
  };
  const names = flags.has("names") ? list("names", "") : undefined;
  for (const name of names ?? []) {
    const isName =
      isIP(name) === 0 ? HOST_NAME.test(name) && !/^[\d.]+$/.test(name) : !name.includes("%");
    if (!isName) problems.push(`--names: "${name}" is neither a host name nor an address`);
  }
  if (names?.length === 0) problems.push("--names needs at least one host name or address");
  const nodes = list("nodes", renews ? "" : NODES_DEFAULT);
  if (nodes.length === 0 && !renews) problems.push("--nodes needs at least one name");
  const clients = list("clients", renews ? "" : CLIENTS_DEFAULT);
  problems.push(...fileProblems("nodes", nodes, []), ...fileProblems("clients", clients, nodes));
  const daysText = flags.get("days") ?? String(DAYS_DEFAULT);
  const days = Number(daysText);
  if (!/^\d+$/.test(daysText) || days < 1 || days > DAYS_MAX) {
    problems.push(`--days must be a whole number from 1 to ${DAYS_MAX}, and is "${daysText}"`);
  }
  if (nodes.length + clients.length > CERTIFICATES_MAX) {
    problems.push(`there may be ${CERTIFICATES_MAX} certificates at most`);
  }
  return problems.length > 0 ? problems : { names, nodes, clients, days, renews };
}

function fileProblems(
  flag: string,
  names: readonly string[],
  others: readonly string[],
): readonly string[] {
  return names.flatMap((name) => {
    if (!FILE_NAME.test(name)) {
      return [
        `--${flag}: "${name}" cannot be a file's name: letters, digits, dots and hyphens, up to 60`,
      ];
    }
    if (name === AUTHORITY || name === NATS) {
      return [`--${flag}: "${name}" is the name of another certificate here; choose another`];
    }
    return others.includes(name) ? [`"${name}" cannot be both a node and a client`] : [];
  });
}
