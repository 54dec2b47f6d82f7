/** What a client library is to the bench: a value at a place is set and read, and a lock is taken and given back. */
import type { Target } from "../../targets/target.ts";

export type Library = AsyncDisposable & {
  /** Makes the places before they are set and read. */
  readonly prepare: (places: number, value: Uint8Array) => Promise<void>;
  readonly set: (place: number, value: Uint8Array) => Promise<unknown>;
  readonly get: (place: number) => Promise<unknown>;
  /** Takes a lock and gives it back. Undefined: the library has none. */
  readonly lock?: () => Promise<unknown>;
};

/** `root`: where the places are, for this measurement alone. */
export type OpenLibrary = (target: Target, root: string) => Promise<Library>;

export function urlOf({ addresses }: Target): string {
  return addresses.map(({ host, port }) => `${host}:${port}`).join(",");
}
