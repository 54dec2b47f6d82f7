/** Which four-letter words have answers that are made of parts, and the texts of those that list, laid out as ZooKeeper does. */
import { unreachable } from "../../protocol/assert.ts";
import { javaDate } from "../../protocol/java-date.ts";
import { WORD_ANSWER_BYTES_MAX } from "../../protocol/limits.ts";
import type { Group, Part } from "./messages.ts";

type ListingWord = "cons" | "crst" | "srst" | "dump" | "wchs" | "wchc" | "wchp";
/** The others are made of metrics, or of those and of parts. */
export type GatheredWord = ListingWord | "stat" | "sess" | "busy" | "wtch" | "heat";

const GATHERED: ReadonlySet<string> = new Set<GatheredWord>([
  "stat",
  "cons",
  "crst",
  "srst",
  "dump",
  "wchs",
  "wchc",
  "wchp",
  "sess",
  "busy",
  "wtch",
  "heat",
]);

/** Whether other actors are asked before the word can be answered. */
export function isGathered(word: string): word is GatheredWord {
  return GATHERED.has(word);
}

export function listingText(word: ListingWord, parts: readonly Part[]): string {
  switch (word) {
    case "cons":
      return `${entriesOf(parts).join("")}\n${omittedText(parts)}`;
    case "crst":
      return "Connection stats reset.\n";
    case "srst":
      return "Server stats reset.\n";
    case "dump":
      return dumpText(parts);
    case "wchs":
      return watchesText(parts);
    case "wchc":
    case "wchp":
      return `${groupsText(merged(parts), "")}\n${omittedText(parts)}`;
    default:
      return unreachable(word);
  }
}

function entriesOf(parts: readonly Part[]): string[] {
  return parts.flatMap(({ groups }) =>
    groups.flatMap(({ entries }) => entries.map((entry) => `${entry}\n`)),
  );
}

/** A path that clients of several lanes watch stands once, and a time at which sessions or connections end. */
function merged(parts: readonly Part[]): Group[] {
  const groups = new Map<Group["name"], string[]>();
  for (const part of parts) {
    for (const { name, entries } of part.groups) {
      const before = groups.get(name);
      if (before === undefined) groups.set(name, [...entries]);
      else before.push(...entries);
    }
  }
  return [...groups].map(([name, entries]) => ({ name, entries }));
}

function groupsText(groups: readonly Group[], behindName: string): string {
  return groups
    .map(({ name, entries }) => {
      return `${name}${behindName}\n${entries.map((entry) => `\t${entry}\n`).join("")}`;
    })
    .join("");
}

function watchesText(parts: readonly Part[]): string {
  let [connections, paths, total] = [0, 0, 0];
  for (const { watches } of parts) {
    connections += watches?.connections ?? 0;
    paths += watches?.paths ?? 0;
    total += watches?.watches ?? 0;
  }
  return `${connections} connections watching ${paths} paths\nTotal watches:${total}\n`;
}

function dumpText(parts: readonly Part[]): string {
  const sessions = parts.filter(({ from }) => from === "sessions");
  const ephemerals = merged(parts.filter(({ from }) => from.startsWith("tree/")));
  const connections = parts.filter(({ from }) => from.startsWith("zookeeper/"));
  return [
    "SessionTracker dump:\n",
    sessionsText(sessions),
    "ephemeral nodes dump:\n",
    `Sessions with Ephemerals (${ephemerals.length}):\n`,
    groupsText(ephemerals, ":"),
    "Connections dump:\n",
    setsText("Connections", merged(connections)),
    omittedText(parts),
  ].join("");
}

/** Only a leader knows when sessions end. Source: ZooKeeper's SessionTrackerImpl and LearnerSessionTracker. */
function sessionsText(parts: readonly Part[]): string {
  const groups = merged(parts);
  if (groups.every(({ name }) => typeof name === "number")) return setsText("Session", groups);
  const lines = entriesOf(parts);
  return `Global Sessions(${lines.length}):\n${lines.join("")}`;
}

function setsText(what: string, groups: readonly Group[]): string {
  const sets = groups.toSorted((a, b) => Number(a.name) - Number(b.name));
  const count = sets.reduce((total, { entries }) => total + entries.length, 0);
  const texts = sets.map(({ name, entries }) => {
    const lines = entries.map((entry) => `\t${entry}\n`).join("");
    return `${entries.length} expire at ${javaDate(Number(name))}:\n${lines}`;
  });
  return `${what} Sets (${sets.length})/(${count}):\n${texts.join("")}`;
}

function omittedText(parts: readonly Part[]): string {
  const omitted = parts.reduce((total, part) => total + part.omitted, 0);
  if (omitted === 0) return "";
  return `${omitted} more are not listed: an answer has about ${WORD_ANSWER_BYTES_MAX} bytes at most.\n`;
}
