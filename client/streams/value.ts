/** The value of a znode: the one that there is, and then each that is set. */
import type { Change } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { errorOfEnd } from "../failures.ts";
import type { Wire } from "../wire.ts";
import { ChangeStream, type Feed, type Sink, type StreamOptions } from "./change-stream.ts";
import { PatientSink } from "./patient-sink.ts";
import { byZxid } from "./portions.ts";
import { sourceOf, type Source } from "./source.ts";
import { type CopiedZnode, followCopy } from "./tree-copy.ts";
import { ClosedError } from "../../protocol/errors.ts";

export type Decode<T> = (data: Uint8Array | null, stat: Stat) => T;

/**
 * The value first as it is, then after each transaction that sets it; undefined while there is no such znode. What `decode` throws ends the
 * stream. If the ensemble no longer keeps what was set meanwhile, the next value is the one that there is then.
 */
export function valueOf<T>(
  wire: Wire,
  path: string,
  decode: Decode<T>,
  options: StreamOptions = {},
): ChangeStream<T | undefined> {
  const source = sourceOf(wire);
  return new ChangeStream(valueFeed(source, path, decode), source, options);
}

export function valueFeed<T>(source: Source, path: string, decode: Decode<T>): Feed<T | undefined> {
  return (sink) => {
    const value = new Value(source, path, decode, sink);
    value.begin();
    return () => value.close();
  };
}

class Value<T> {
  readonly #source: Source;
  readonly #path: string;
  readonly #decode: Decode<T>;
  readonly #sink: PatientSink<T | undefined>;
  #end: () => void = () => undefined;
  #isOver = false;
  /** When what was given last was set; 0 while there is no such znode. Undefined: nothing was given. */
  #setAt: number | undefined;

  constructor(source: Source, path: string, decode: Decode<T>, sink: Sink<T | undefined>) {
    this.#source = source;
    this.#path = path;
    this.#decode = decode;
    this.#sink = new PatientSink(sink);
  }

  begin(): void {
    if (this.#isOver) return;
    const options = { recursive: false, data: true } as const;
    this.#end = followCopy(this.#source, this.#path, options, {
      copied: (znodes, zxid) => this.#copied(znodes.get(this.#path), zxid),
      portion: (changes, through, taken) => this.#portion(changes, through, taken),
      ended: (end) => {
        if (end.kind === "compacted") this.#sink.whenTaken(() => this.begin());
        else this.#sink.failed(errorOfEnd(end) ?? new ClosedError());
      },
      failed: (error) => this.#sink.failed(error),
    });
    if (this.#isOver) this.#end();
  }

  close(): void {
    this.#isOver = true;
    this.#end();
  }

  #copied(znode: CopiedZnode | undefined, through: Zxid): void {
    // After a gap it may be the same.
    if (this.#setAt === (znode?.stat.mzxid ?? 0)) return;
    this.#give([znode], { changes: 0, through }, () => undefined);
  }

  #portion(changes: readonly Change[], through: Zxid, taken: () => void): void {
    const values: (CopiedZnode | undefined)[] = [];
    for (const together of byZxid(changes)) {
      const last = together.findLast(({ kind }) => kind !== "acl");
      if (last === undefined) continue;
      const { kind, stat, data = null } = last;
      values.push(kind === "deleted" ? undefined : { stat, data });
    }
    this.#give(values, { changes: changes.length, through }, taken);
  }

  #give(
    znodes: readonly (CopiedZnode | undefined)[],
    of: { readonly changes: number; readonly through: Zxid },
    taken: () => void,
  ): void {
    const items: (T | undefined)[] = [];
    let problem: unknown;
    let isDecoded = true;
    for (const znode of znodes) {
      // What was made and deleted by one transaction was never there. And a creation may be told with what was set later.
      if (this.#setAt === (znode?.stat.mzxid ?? 0)) continue;
      try {
        items.push(znode === undefined ? undefined : this.#decode(znode.data, znode.stat));
      } catch (error) {
        problem = error;
        isDecoded = false;
        break;
      }
      this.#setAt = znode?.stat.mzxid ?? 0;
    }
    this.#sink.given({ items, ...of }, taken);
    if (isDecoded) return;
    this.close();
    this.#sink.failed(problem instanceof Error ? problem : new TypeError(String(problem)));
  }
}
