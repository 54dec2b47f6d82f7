/**
 * A read/write lock: any number of readers, or one writer, in the order in which they came. A reader waits for the writer before it, a writer
 * for whoever is before it. So nobody starves. Sources: Curator's InterProcessReadWriteLock, kazoo's ReadLock and WriteLock.
 */
import { checkPath } from "../../protocol/arguments.ts";
import type { Client } from "../client.ts";
import { checkLayout, checkWait } from "./arguments.ts";
import type { Claim } from "./claim.ts";
import { type Line, standIn } from "./line.ts";
import { type Layout, KAZOO_LOCK, type LockOptions, oneAtATime } from "./lock.ts";

const READERS: Readonly<Record<Layout, string>> = { curator: "__READ__", kazoo: "__rlock__" };
const WRITERS: Readonly<Record<Layout, string>> = { curator: "__WRIT__", kazoo: KAZOO_LOCK };
const MARKERS: readonly string[] = [...Object.values(READERS), ...Object.values(WRITERS)];
const READER_MARKERS: ReadonlySet<string> = new Set(Object.values(READERS));

/** A reader waits for the last writer before it. */
const readerWaits: Line["blockerOf"] = (members, index) =>
  members.slice(0, index).findLast(({ marker }) => !READER_MARKERS.has(marker));

/**
 * A lock for many readers or one writer, in the order in which they came: a reader waits for the writers before it, a writer for everybody
 * before it. Not reentrant. Sources: Curator's InterProcessReadWriteLock, kazoo's ReadLock and WriteLock.
 */
export class ReadWriteLock {
  readonly #client: Client;
  readonly #path: string;

  constructor(client: Client, path: string) {
    checkPath(path);
    this.#client = client;
    this.#path = path;
  }

  /** Waits until no writer holds it or came before. Rejects as `lock` does. */
  async read(options: LockOptions = {}): Promise<Claim> {
    return this.#claim(READERS, readerWaits, options);
  }

  /** Waits until nobody else holds it or came before, reader or writer. Rejects as `lock` does. */
  async write(options: LockOptions = {}): Promise<Claim> {
    return this.#claim(WRITERS, oneAtATime, options);
  }

  async #claim(
    names: Readonly<Record<Layout, string>>,
    blockerOf: Line["blockerOf"],
    options: LockOptions,
  ): Promise<Claim> {
    const { data = null, acl, layout = "curator" } = options;
    checkWait(this.#path, options);
    checkLayout(layout);
    const marker = names[layout];
    const line: Line = {
      ...{ path: this.#path, data, acl, markers: MARKERS, blockerOf },
      nameFor: (unique) => (layout === "kazoo" ? `${unique}${marker}` : `_c_${unique}-${marker}`),
    };
    return standIn(this.#client, line, options);
  }
}
