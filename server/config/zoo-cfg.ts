/** Reads a `zoo.cfg`: ZooKeeper's keys, zooid's own as `zooid.…`, and a warning for each key that has no effect here. */
import { isUnsupportedByZooid, KEYS } from "./keys.ts";
import { nearest } from "./nearest.ts";
import type { NodeConfig, Problem, Setting, Settings } from "./node-config.ts";
import { type Property, readProperties } from "./properties.ts";
import { securityRefusal } from "./security-keys.ts";

export type ZooCfg = {
  readonly settings: Settings;
  /** Client ports that `server.N=…;port` names, by N. */
  readonly clientPorts: ReadonlyMap<string, Setting>;
  /** Where ZooKeeper kept its transaction logs, if apart. */
  readonly dataLogDir: Setting | undefined;
  /** At least one key is ZooKeeper's or zooid's. */
  readonly hasKnownKey: boolean;
  readonly warnings: readonly string[];
  readonly problems: readonly Problem[];
};

type Draft = {
  readonly file: string;
  readonly settings: Map<keyof NodeConfig, Setting>;
  readonly clientPorts: Map<string, Setting>;
  dataLogDir: Setting | undefined;
  hasKnownKey: boolean;
  readonly warnings: string[];
  readonly problems: Problem[];
  /** For how many further unknown keys a similar known one is looked for. */
  suggestions: number;
};

/** A file with more unknown keys is no `zoo.cfg` with typing mistakes. */
const SUGGESTIONS_MAX = 32;

const FIELDS: ReadonlyMap<string, keyof NodeConfig> = new Map(
  KEYS.flatMap((key) => (key.fileKey === undefined ? [] : [[key.fileKey, key.field] as const])),
);
/** In ZooKeeper, -1 asks for the default of these. */
const MINUS_ONE_IS_DEFAULT: ReadonlySet<string> = new Set([
  "minSessionTimeout",
  "maxSessionTimeout",
]);
const ALL_KEYS: readonly string[] = [...FIELDS.keys(), "dynamicConfigFile", "peerType"];

function sourceOf(draft: Draft, property: Property): string {
  return `${draft.file}:${property.line}`;
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
  const port = client?.trim().split(":").at(-1);
  if (port !== undefined) draft.clientPorts.set(id, { value: port, source });
}

function warn(draft: Draft, property: Property, words: string): void {
  draft.warnings.push(`${sourceOf(draft, property)}: ${property.key} ${words}`);
}

function addProperty(draft: Draft, property: Property): void {
  const { key, value } = property;
  const field = FIELDS.get(key);
  draft.hasKnownKey ||= isKnown(key);
  if (key === "dataLogDir") draft.dataLogDir = { value, source: sourceOf(draft, property) };
  const refused = securityRefusal(key, value);
  if (refused !== undefined) {
    refuse(draft, property, refused.rule, refused.hint);
  } else if (field !== undefined) {
    if (value === "-1" && MINUS_ONE_IS_DEFAULT.has(key)) draft.settings.delete(field);
    else draft.settings.set(field, { value, source: sourceOf(draft, property) });
  } else if (key.startsWith("server.")) {
    addServer(draft, property);
  } else if (key === "dynamicConfigFile") {
    // If the key were ignored, a member would start as a node alone: another ensemble with the same data.
    refuse(draft, property, "is not supported", "put that file's server.N lines in this one");
  } else if (key === "peerType" && value === "observer") {
    refuse(draft, property, "observers are not supported", "every node is a voter");
  } else if (key === "peerType" || isUnsupportedByZooid(key)) {
    warn(draft, property, "is ZooKeeper's and has no effect here");
  } else {
    draft.suggestions -= 1;
    const near = draft.suggestions < 0 ? undefined : nearest(key, ALL_KEYS);
    warn(
      draft,
      property,
      `is unknown and has no effect${near === undefined ? "" : `; did you mean ${near}?`}`,
    );
  }
}

function isKnown(key: string): boolean {
  return ALL_KEYS.includes(key) || key.startsWith("server.") || isUnsupportedByZooid(key);
}

/** Java keeps one value of a key, the last. */
function addLastOfEach(draft: Draft, properties: readonly Property[]): void {
  const last = new Map(properties.map((property) => [property.key, property]));
  const again = new Set(
    properties.filter((each) => last.get(each.key) !== each).map(({ key }) => key),
  );
  for (const property of last.values()) {
    if (again.has(property.key)) warn(draft, property, "is given again, and this value counts");
    addProperty(draft, property);
  }
}

/** `file` is the name of the file in messages. */
export function readZooCfg(text: string, file: string): ZooCfg {
  const draft: Draft = {
    file,
    settings: new Map(),
    clientPorts: new Map(),
    dataLogDir: undefined,
    hasKnownKey: false,
    warnings: [],
    problems: [],
    suggestions: SUGGESTIONS_MAX,
  };
  addLastOfEach(draft, readProperties(text));
  return draft;
}
