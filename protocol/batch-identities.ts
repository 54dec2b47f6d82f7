/**
 * Identities in a batch. Few operations have any, so a batch without them is the list of its operations as it always was. One with them
 * is `[2, table, operations, places]`. Each entry of the table is what some connections have proved, schemes and ids by turns. The
 * places say for each operation, in order, which entry is its own, counted from 1; 0 says that it has none.
 */
import { cborBytes } from "./cbor-bytes.ts";
import { FieldError, list, text } from "./fields.ts";
import type { Identity } from "./identities.ts";

/** The first item of a batch with identities. A batch without them begins with an operation, which is a list. */
export const WITH_IDENTITIES = 2;

type Packed = readonly unknown[];
type Identities = readonly Identity[] | undefined;

export type BatchIdentities = {
  readonly table: readonly Packed[];
  readonly places: readonly number[];
};

/** Makes the table and the places for operations that have proved this, by turns. What is alike stands in the table once. */
export function packIdentities(all: readonly Identities[]): BatchIdentities {
  const table: Packed[] = [];
  const known = new Map<string, number>();
  const places: number[] = [];
  // Operations of one connection follow each other.
  let last: Identities;
  let lastPlace = 0;
  for (const identities of all) {
    if (identities !== undefined && identities !== last) {
      last = identities;
      lastPlace = placeOf(identities, table, known);
    }
    places.push(identities === undefined ? 0 : lastPlace);
  }
  return { table, places };
}

function placeOf(
  identities: readonly Identity[],
  table: Packed[],
  known: Map<string, number>,
): number {
  const entry = packEntry(identities);
  const key = JSON.stringify(entry);
  const place = known.get(key);
  if (place !== undefined) return place;
  table.push(entry);
  known.set(key, table.length);
  return table.length;
}

/** The most bytes that an operation's identities add to a batch: their entry in the table and its place. */
export function identityBytes(identities: readonly Identity[]): number {
  return cborBytes(packEntry(identities)) + PLACE_BYTES_MAX;
}

const PLACE_BYTES_MAX = 3;

function packEntry(identities: readonly Identity[]): Packed {
  return identities.flatMap(({ scheme, id }) => [scheme, id]);
}

/** Returns the identities of each operation. Throws a `FieldError` on what is no table or no place in it. */
export function unpackIdentities(packedTable: unknown, places: unknown): readonly Identities[] {
  const table = list(packedTable).map(unpackEntry);
  return list(places).map((place) => {
    if (place === 0) return undefined;
    const identities = table[(place as number) - 1];
    if (identities === undefined) throw new FieldError("an identity that is not in the table");
    return identities;
  });
}

function unpackEntry(packed: unknown): readonly Identity[] {
  const texts = list(packed);
  if (texts.length % 2 !== 0) throw new FieldError("an identity without an id");
  return Array.from({ length: texts.length / 2 }, (_, index) => ({
    scheme: text(texts[2 * index]),
    id: text(texts[2 * index + 1]),
  }));
}
