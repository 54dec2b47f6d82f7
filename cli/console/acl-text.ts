/** Access control lists as text: `world:anyone:r,digest:bob:HASH:cdrwa`, as zkCli writes them. */
import type { Acl } from "../../client/connect.ts";
import { MisusedError } from "./exit-codes.ts";

/** In the order in which zkCli prints them. */
const LETTERS: readonly (readonly [letter: string, bit: number])[] = [
  ["c", 4],
  ["d", 8],
  ["r", 1],
  ["w", 2],
  ["a", 16],
];

/** Throws a MisusedError that names every entry that is none. */
export function aclOf(texts: readonly string[]): readonly Acl[] {
  const entries = texts.flatMap(entriesIn);
  const problems = entries.flatMap((entry) => problemOf(entry) ?? []);
  if (entries.length === 0) throw new MisusedError("the access control list is empty");
  if (problems.length > 0) throw new MisusedError(problems.join("; "));
  return entries.map((entry) => {
    const { scheme, id, letters } = partsOf(entry);
    return { scheme, id, permissions: permissionsOf(letters) };
  });
}

/** A comma begins another entry if a scheme follows: the names of certificates have commas of their own. */
function entriesIn(text: string): readonly string[] {
  return text
    .split(/,(?=[a-z][a-z\d]*:)/i)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

export function entryText({ scheme, id, permissions }: Acl): string {
  return `${scheme}:${id}:${lettersOf(permissions)}`;
}

export function aclText(acl: readonly Acl[]): string {
  return acl.map(entryText).join(",");
}

/** The id may have colons of its own. */
function partsOf(entry: string): {
  readonly scheme: string;
  readonly id: string;
  readonly letters: string;
} {
  const first = entry.indexOf(":");
  const last = entry.lastIndexOf(":");
  return {
    scheme: entry.slice(0, first),
    id: entry.slice(first + 1, last),
    letters: entry.slice(last + 1),
  };
}

function problemOf(entry: string): string | undefined {
  if (entry.split(":").length < 3) {
    return `"${entry}" is no entry: write SCHEME:ID:PERMISSIONS, as in world:anyone:r`;
  }
  const { letters } = partsOf(entry);
  if (/^[cdrwa]+$/.test(letters)) return undefined;
  return `"${entry}": permissions are letters of cdrwa (create, delete, read, write, admin)`;
}

function permissionsOf(letters: string): number {
  return LETTERS.reduce((sum, [letter, bit]) => (letters.includes(letter) ? sum | bit : sum), 0);
}

function lettersOf(permissions: number): string {
  return LETTERS.flatMap(([letter, bit]) => ((permissions & bit) === 0 ? [] : [letter])).join("");
}
