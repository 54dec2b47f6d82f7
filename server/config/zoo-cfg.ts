/** Reads a `zoo.cfg`: ZooKeeper's keys, zooid's own as `zooid.…`, and what is to be said about each key that does nothing here. */
import type { Row } from "./key-rows.ts";
import { fileKeysOf } from "./key.ts";
import { KEYS } from "./keys.ts";
import { nearest } from "./nearest.ts";
import type { NodeConfig, Problem, Setting, Settings } from "./node-config.ts";
import { type Property, readProperties } from "./properties.ts";
import { SASL_PROVIDER } from "./sasl-settings.ts";
import { serverAddress } from "./server-addresses.ts";
import { AUTOCREATE_KEY, CRL_KEY, rowOf, withoutPrefix, ZOOKEEPER_KEYS } from "./zookeeper-keys.ts";

/** A key that does nothing here, and that nobody misses. */
export type IdleKey = { readonly key: string; readonly source: string; readonly because: string };

export type ZooCfg = {
  readonly settings: Settings;
  /** Client ports that `server.N=…;port` names, by N. */
  readonly clientPorts: ReadonlyMap<string, Setting>;
  /** Asks for certificates that were withdrawn to be refused. */
  readonly crl: Setting | undefined;
  /** At least one key is ZooKeeper's or zooid's. */
  readonly hasKnownKey: boolean;
  /** Says that `dataDir` must be there already. */
  readonly noAutocreate: Setting | undefined;
  /** What somebody may miss or has mistyped, in the order of the file. */
  readonly warnings: readonly string[];
  readonly idleKeys: readonly IdleKey[];
  readonly problems: readonly Problem[];
};

/** Names a line, the first of which is 1, in messages. */
type LineSource = (line: number) => string;

type Draft = {
  readonly lineSource: LineSource;
  readonly settings: Map<keyof NodeConfig, Setting>;
  readonly clientPorts: Map<string, Setting>;
  readonly servers: Property[];
  crl: Setting | undefined;
  hasKnownKey: boolean;
  noAutocreate: Setting | undefined;
  readonly warnings: string[];
  readonly idleKeys: IdleKey[];
  readonly problems: Problem[];
  /** For how many further unknown keys a similar known one is looked for. */
  suggestions: number;
};

/** A file with more unknown keys is no `zoo.cfg` with typing mistakes. */
const SUGGESTIONS_MAX = 32;

const FIELDS: ReadonlyMap<string, keyof NodeConfig> = new Map(
  KEYS.flatMap((key) => fileKeysOf(key).map((name) => [name, key.field] as const)),
);
/** In ZooKeeper, -1 asks for the default of these. */
const MINUS_ONE_IS_DEFAULT: ReadonlySet<string> = new Set([
  "minSessionTimeout",
  "maxSessionTimeout",
  "clientPortListenBacklog",
]);
/** What follows it is of the owner's choice. */
const PROVIDER_PREFIX = "authProvider.";
/** What a mistyped key may have been meant as; the keys that work come first. */
const CANDIDATES: readonly string[] = [...new Set([...FIELDS.keys(), ...ZOOKEEPER_KEYS])];

function sourceOf(draft: Draft, property: Property): string {
  return draft.lineSource(property.line);
}

function settingOf(draft: Draft, property: Property): Setting {
  return { value: property.value, source: sourceOf(draft, property) };
}

function refuse(draft: Draft, property: Property, rule: string, hint: string): void {
  const { key, value } = property;
  draft.problems.push({ field: key, value, source: sourceOf(draft, property), rule, hint });
}

/**
 * `server.N=host:quorumPort:electionPort[:role][;[address:]clientPort]`: N is what counts here. The hosts and their ports
 * are not used, the nodes meet over NATS.
 */
function addServer(draft: Draft, property: Property): void {
  const id = property.key.slice("server.".length);
  const [quorum = "", client] = property.value.split(";");
  if (/:observer\s*$/.test(quorum)) {
    const hint = "as a voter it would change what a majority is: leave the line out";
    refuse(draft, property, "observers are not supported", hint);
    return;
  }
  const source = sourceOf(draft, property);
  const before = draft.settings.get("members");
  draft.settings.set("members", {
    value: before === undefined ? id : `${before.value},${id}`,
    source: before?.source ?? source,
  });
  draft.servers.push(property);
  const port = client?.trim().split(":").at(-1);
  if (port !== undefined) draft.clientPorts.set(id, { value: port, source });
}

/** What clients are told of the members. They would take a part of them for the whole ensemble, so it is all or nothing. */
function addServers(draft: Draft): void {
  const [first] = draft.servers;
  if (first === undefined) return;
  const other = draft.servers.find(({ value }) => serverAddress(value) === undefined);
  if (other !== undefined) {
    const why =
      "is no host:port:port[;[host:]port], so /zookeeper/config tells clients of no server";
    warn(draft, other, why);
    return;
  }
  const value = draft.servers.map((each) => `${each.key}=${each.value}`).join(",");
  draft.settings.set("servers", { value, source: sourceOf(draft, first) });
}

function warn(draft: Draft, property: Property, words: string): void {
  draft.warnings.push(`${sourceOf(draft, property)}: ${property.key} ${words}`);
}

function addProperty(draft: Draft, property: Property): void {
  const { key, value } = property;
  const field = FIELDS.get(key);
  const row = rowOf(key);
  draft.hasKnownKey ||= field !== undefined || row !== undefined;
  if (key.startsWith(PROVIDER_PREFIX) && value === SASL_PROVIDER) {
    draft.settings.set("saslScheme", { value: "true", source: sourceOf(draft, property) });
    return;
  }
  if (field === undefined) {
    if (row === undefined) addUnknown(draft, property);
    else addByRow(draft, property, row);
    return;
  }
  if (value === "-1" && MINUS_ONE_IS_DEFAULT.has(key)) draft.settings.delete(field);
  else draft.settings.set(field, settingOf(draft, property));
  if (row?.treatment.kind === "checked") addIdle(draft, property, row.treatment.because);
}

function addUnknown(draft: Draft, property: Property): void {
  draft.suggestions -= 1;
  const near = draft.suggestions < 0 ? undefined : nearest(property.key, CANDIDATES);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  warn(draft, property, `is unknown and has no effect${hint}`);
}

function addIdle(draft: Draft, property: Property, because: string): void {
  draft.idleKeys.push({ key: property.key, source: sourceOf(draft, property), because });
}

/** For a key that is no setting under this name. */
function addByRow(draft: Draft, property: Property, { treatment, harmless }: Row): void {
  if (harmless?.holds(property.value.toLowerCase())) {
    addIdle(draft, property, harmless.because);
    return;
  }
  switch (treatment.kind) {
    case "works":
    case "checked":
      addWorking(draft, property);
      return;
    case "idle":
      addIdle(draft, property, treatment.because);
      return;
    case "missed":
      warn(draft, property, `has no effect: ${treatment.because}; ${treatment.instead}`);
      return;
    case "refused":
      refuse(draft, property, treatment.rule, treatment.hint);
      return;
    default:
      treatment satisfies never;
  }
}

function addWorking(draft: Draft, property: Property): void {
  const { key, value } = property;
  if (key.startsWith("server.")) {
    addServer(draft, property);
  } else if (key === CRL_KEY) {
    addCrl(draft, property);
  } else if (key !== AUTOCREATE_KEY) {
    // ZooKeeper puts the prefix before every key of the file, so that with two of them it has no effect there either.
    warn(draft, property, `has no effect in a file; did you mean ${withoutPrefix(key)}?`);
  } else if (value.toLowerCase() === "true") {
    addIdle(draft, property, "a dataDir that is not there is made");
  } else {
    draft.noAutocreate = settingOf(draft, property);
  }
}

function addCrl(draft: Draft, property: Property): void {
  const value = property.value.toLowerCase();
  if (value === "true") draft.crl = settingOf(draft, property);
  else if (value === "false" || value === "") addIdle(draft, property, "it is not wanted");
  else refuse(draft, property, "must be true or false", "leave it out for its default, false");
}

/** Java keeps one value of a key, the last. */
function addLastOfEach(
  draft: Draft,
  properties: readonly Property[],
  last: ReadonlyMap<string, Property>,
): void {
  const again = new Set(
    properties.filter((each) => last.get(each.key) !== each).map(({ key }) => key),
  );
  for (const property of last.values()) {
    if (again.has(property.key)) warn(draft, property, "is given again, and this value counts");
    addProperty(draft, property);
  }
}

/** `source` is the name of the file in messages, or names its lines. */
export function readZooCfg(text: string, source: string | LineSource): ZooCfg {
  const properties = readProperties(text);
  const last = new Map(properties.map((property) => [property.key, property]));
  const draft: Draft = {
    lineSource: typeof source === "string" ? (line) => `${source}:${line}` : source,
    settings: new Map(),
    clientPorts: new Map(),
    servers: [],
    crl: undefined,
    hasKnownKey: false,
    noAutocreate: undefined,
    warnings: [],
    idleKeys: [],
    problems: [],
    suggestions: SUGGESTIONS_MAX,
  };
  addLastOfEach(draft, properties, last);
  addServers(draft);
  return draft;
}
