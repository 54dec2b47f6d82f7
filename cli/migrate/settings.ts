/** What the user has asked `zooid migrate` for, checked as a whole. */
import { isZooKeeperUrl, parseZooKeeperUrl } from "../../client/zookeeper/url.ts";
import { messageOf } from "../command.ts";
import { identityOf, type Target, targetAt, targetOf } from "../console/connection.ts";
import type { Io } from "../console/context.ts";
import { MisusedError } from "../console/exit-codes.ts";
import type { Given } from "../console/given.ts";
import type { Address } from "./relay/relay.ts";
import type { Route } from "./relay/connection.ts";

/** A session that is over has the migration compare everything again, so it lasts longer than that of a command. */
const SESSION_TIMEOUT_MS = 30_000;
export const PAUSE_MS_DEFAULT = 1_000;
const PORT_MAX = 65_535;

export type Kind = "migrate" | "dryRun" | "verify";

export type Settings = {
  readonly kind: Kind;
  readonly source: Target;
  readonly target: Target;
  /** ZooKeeper's own znodes at the root are left out: one of both sides has no chroot. */
  readonly withoutOwn: boolean;
  /** Quotas come along: neither side has a chroot, so that they are about the same paths. */
  readonly withQuotas: boolean;
  readonly chroot: string;
  readonly intoUsed: boolean;
  readonly deletesOthers: boolean;
  /** Undefined: there is no relay. */
  readonly relay:
    | { readonly listen: Address; readonly servers: Readonly<Record<Route, readonly Address[]>> }
    | undefined;
  readonly switchWhenEqual: boolean;
  readonly once: boolean;
  /** How long clients may wait at the switch before it is given up. */
  readonly pauseMs: number;
  readonly lifetimesFrom: string | undefined;
  readonly lifetimesLogFolder: string | undefined;
};

type Problem = (flag: string, problem: string, hint: string) => void;

/** Throws a MisusedError that names all that is wrong. */
export function settingsOf(given: Given, env: Io["env"]): Settings {
  const problems: string[] = [];
  const problem: Problem = (what, text, hint) => void problems.push(`${what}: ${text}; ${hint}`);
  const both = patient(targetOf(given, env));
  const source = sideOf(given.operand("from"), both, problem);
  const target = sideOf(given.operand("to"), targetSide(given, both), problem);
  const [from, to] = [chrootOf(source, problem), chrootOf(target, problem)];
  const relay = relayOf(given, [source, target], problem);
  if (given.has("listen") && from !== to) {
    problem(
      "--listen",
      "the chroots of the two URLs differ",
      "clients name the same paths before and after the switch",
    );
  }
  for (const flag of ["switch-when-equal", "from-servers", "to-servers", "pause-ms"]) {
    if (given.has(flag) && !given.has("listen"))
      problem(`--${flag}`, "there is nothing to switch", "it goes with --listen");
  }
  if (given.has("once") && given.has("listen"))
    problem("--once", "it ends before the switch", "leave out --listen");
  if (given.has("lifetimes-log-dir") && !given.has("lifetimes-from")) {
    problem(
      "--lifetimes-log-dir",
      "it is the dataLogDir of a dataDir",
      "give that by --lifetimes-from",
    );
  }
  if (source.url === target.url && both.options.ensemble === target.options.ensemble) {
    problem("<to>", "it is the ensemble of <from>", "name another one");
  }
  if (problems.length > 0) throw new MisusedError(problems.join("\n  "));
  return {
    kind: given.has("dry-run") ? "dryRun" : given.has("verify") ? "verify" : "migrate",
    ...{ source, target, relay, chroot: from },
    withoutOwn: from === "" || to === "",
    withQuotas: from === "" && to === "",
    intoUsed: given.has("into-used") || given.has("delete"),
    deletesOthers: given.has("delete"),
    switchWhenEqual: given.has("switch-when-equal"),
    once: given.has("once"),
    pauseMs: given.number("pause-ms") ?? PAUSE_MS_DEFAULT,
    lifetimesFrom: given.value("lifetimes-from"),
    lifetimesLogFolder: given.value("lifetimes-log-dir"),
  };
}

/** `host:port`, several with commas between them. Returns undefined if one of them is none. */
export function addressesOf(text: string): readonly Address[] | undefined {
  const all = text.split(",").map((each) => {
    const [, bracketed, plain, port] =
      /^(?:\[([0-9a-f:.%]+)\]|([^[\]:]+)):(\d{1,5})$/i.exec(each.trim()) ?? [];
    const host = bracketed ?? plain;
    return host === undefined || Number(port) > PORT_MAX ? undefined : { host, port: Number(port) };
  });
  return all.every((each) => each !== undefined) ? all : undefined;
}

function patient({ url, options }: Target): Target {
  return {
    url,
    options: { sessionTimeoutMs: SESSION_TIMEOUT_MS, ...options, name: "zooid migrate" },
  };
}

function sideOf(url: string, as: Target, problem: Problem): Target {
  try {
    return targetAt(url, as);
  } catch (error) {
    problem("URL", messageOf(error), "both sides are URLs of ensembles");
    return as;
  }
}

/** What is given for the target alone stands in for what is given for both. */
function targetSide(given: Given, { url, options }: Target): Target {
  const identities = given.values("to-auth").map((text) => identityOf("to-auth", text));
  const sasl = given.value("to-sasl");
  const ensemble = given.value("to-ensemble");
  return {
    url,
    options: {
      ...options,
      ...(identities.length === 0 ? {} : { identities }),
      ...(sasl === undefined ? {} : { sasl: identityOf("to-sasl", sasl) }),
      ...(ensemble === undefined ? {} : { ensemble }),
    },
  };
}

function chrootOf({ url }: Target, problem: Problem): string {
  if (!isZooKeeperUrl(url)) return "";
  try {
    return parseZooKeeperUrl(url).chroot;
  } catch (error) {
    problem("URL", messageOf(error), "both sides are URLs of ensembles");
    return "";
  }
}

function relayOf(
  given: Given,
  [source, target]: readonly [Target, Target],
  problem: Problem,
): Settings["relay"] {
  const text = given.value("listen");
  if (text === undefined) return undefined;
  const [listen, ...more] = addressesOf(text) ?? [];
  if (listen === undefined || more.length > 0)
    problem("--listen", `${text} is no host:port`, "name one, as 0.0.0.0:2191");
  const servers = {
    source: serversOf(given, "from-servers", source, problem),
    target: serversOf(given, "to-servers", target, problem),
  };
  return listen === undefined ? undefined : { listen, servers };
}

function serversOf(
  given: Given,
  flag: string,
  { url }: Target,
  problem: Problem,
): readonly Address[] {
  const text = given.value(flag);
  if (text !== undefined) {
    const addresses = addressesOf(text);
    if (addresses === undefined)
      problem(`--${flag}`, `${text} are no addresses`, "write host:port, several with commas");
    return addresses ?? [];
  }
  if (!isZooKeeperUrl(url)) {
    problem(
      `--${flag}`,
      "over NATS it is not known where clients connect",
      "give the client ports of the nodes, host:port,…",
    );
    return [];
  }
  if (/^zks:/i.test(url)) {
    problem(
      `--${flag}`,
      "what goes over TLS cannot be read on the way",
      "give client ports without TLS, or switch without --listen",
    );
    return [];
  }
  try {
    return parseZooKeeperUrl(url).hosts;
  } catch {
    return [];
  }
}
