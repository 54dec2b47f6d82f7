/**
 * What ClickHouse Keeper's clients are told of a server: the flags of what it can do, in an order that is fixed for ever. Sources: its
 * KeeperFeatureFlags and KeeperConstants (docs/operations/clickhouse.md names the version).
 */

/** Flag n is bit 7 - n % 8 of byte n / 8. */
export const KEEPER_FLAGS: readonly string[] = [
  "FILTERED_LIST",
  "MULTI_READ",
  "CHECK_NOT_EXISTS",
  "CREATE_IF_NOT_EXISTS",
  "REMOVE_RECURSIVE",
  "MULTI_WATCHES",
  "CHECK_STAT",
  "PERSISTENT_WATCHES",
  "CREATE_WITH_STATS",
  "TRY_REMOVE",
  "LIST_WITH_STAT_AND_DATA",
];

export const KEEPER_PATH = "/keeper";

/** Clients of before the flags read a number here: 3 stands for the first three. */
const API_VERSION = "3";

/** Keeper's own znodes that are answered, with their data. Their parent is not among them: a client that found it would not make its own. */
export const KEEPER_ZNODES: ReadonlyMap<string, Uint8Array> = new Map([
  [`${KEEPER_PATH}/api_version`, new TextEncoder().encode(API_VERSION)],
  [`${KEEPER_PATH}/feature_flags`, flagBytes(KEEPER_FLAGS.length)],
]);

/** All of the flags are set. */
function flagBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(count / 8));
  for (let flag = 0; flag < count; flag += 1) {
    bytes[flag >>> 3] = (bytes[flag >>> 3] ?? 0) | (0x80 >>> (flag % 8));
  }
  return bytes;
}
