/** Requests of the soak's clients, with replies as values in place of transcripts. */
import type { JuteReader } from "../support/jute.ts";
import {
  check,
  create,
  decodeStat,
  getChildren,
  getChildren2,
  getData,
  Mode,
  multi,
  type Operation,
  setData,
  type Stat,
} from "../support/zookeeper-client/operations.ts";

/** What a reply says is handed over when it arrives, before anything that comes after it. */
type Take<Body> = (body: Body) => void;

function taking<Body>(
  operation: Operation,
  read: (reader: JuteReader) => Body,
  take: Take<Body>,
): Operation {
  return {
    ...operation,
    decode: (reader) => {
      take(read(reader));
      return [];
    },
  };
}

export type DataBody = { readonly data: string; readonly stat: Stat };

export function readData(path: string, watch: boolean, take: Take<DataBody>): Operation {
  const read = (reader: JuteReader): DataBody => {
    const data = reader.buffer()?.toString("utf8") ?? "";
    return { data, stat: decodeStat(reader) };
  };
  return taking(getData(path, watch), read, take);
}

export function readChildren(path: string, take: Take<readonly string[]>): Operation {
  return taking(getChildren(path), (reader) => reader.texts(), take);
}

export type ChildrenBody = { readonly names: readonly string[]; readonly stat: Stat };

export function readChildrenAndStat(
  path: string,
  watch: boolean,
  take: Take<ChildrenBody>,
): Operation {
  const read = (reader: JuteReader): ChildrenBody => {
    const names = reader.texts();
    return { names, stat: decodeStat(reader) };
  };
  return taking(getChildren2(path, watch), read, take);
}

export function writeData(path: string, data: string, take: Take<Stat>): Operation {
  return taking(setData(path, data), decodeStat, take);
}

export type SequentialOptions = { readonly ephemeral?: boolean };

export function createSequential(
  prefix: string,
  data: string,
  take: Take<string>,
  options: SequentialOptions = {},
): Operation {
  const mode = options.ephemeral === true ? Mode.ephemeralSequential : Mode.persistentSequential;
  return taking(create(prefix, data, { mode }), (reader) => reader.text(), take);
}

export type CreateAndSet = { readonly path: string; readonly stat: Stat };

/** Creates a node and sets another, both with the same data. Undefined: both were refused. */
export function createAndSet(
  paths: { readonly prefix: string; readonly register: string },
  data: string,
  take: Take<CreateAndSet | undefined>,
): Operation {
  const create = createSequential(paths.prefix, data, () => undefined);
  return taking(multi(create, setData(paths.register, data)), readCreateAndSet, take);
}

/** Creates a node if another, which is never there, has any version: it must be refused as a whole. */
export function createIfMissing(
  paths: { readonly prefix: string; readonly missing: string },
  data: string,
): Operation {
  const create = createSequential(paths.prefix, data, () => undefined);
  return taking(multi(create, check(paths.missing, 0)), readCreateAndSet, () => undefined);
}

function readCreateAndSet(reader: JuteReader): CreateAndSet | undefined {
  let path: string | undefined;
  let stat: Stat | undefined;
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) return path === undefined || stat === undefined ? undefined : { path, stat };
    if (type === -1) reader.int();
    else if (type === 1) path = reader.text();
    else if (type === 5) stat = decodeStat(reader);
    else throw new Error(`a result of type ${type} in a multi`);
  }
}
