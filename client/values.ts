/**
 * Typed values. A codec makes bytes of a value and back; a schema says which values are right. A key is a path with both:
 *
 *     const Limits = key("/config/limits", { schema: z.object({ perSecond: z.number() }) });
 *     await client.put(Limits, { perSecond: 100 });
 *     const { value } = await client.get(Limits);
 *
 * Any schema library will do that speaks Standard Schema (https://standardschema.dev): zod, valibot, arktype and others.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
// This entry leaves out the native addon: looking for a build of it takes a tenth of the time in which this client is imported.
import { Encoder } from "cbor-x/encode";
import { checkedData, checkOptions, checkPath } from "../protocol/arguments.ts";
import { InvalidValueError, type ValueIssue } from "../protocol/errors.ts";

/**
 * Makes bytes of a value, and the value of bytes again: `bytes`, `text`, `json`, `cbor`, or one of one's own. Either function may throw:
 * the operation then rejects with InvalidValueError, whose `cause` is what was thrown.
 */
export type Codec<Value> = {
  /** Shown in errors. */
  readonly name: string;
  /** Returns the bytes; null: the znode gets no data. Throws on what is no such value. */
  readonly encode: (value: Value) => Uint8Array | null;
  /** Throws on bytes that are no such value. Null: the znode has no data. */
  readonly decode: (data: Uint8Array | null) => Value;
};

/** A path with the type of the values that are there. `Given` is what is written, `Value` what is read. */
export class Key<Value, Given = Value> {
  /** Where the values are. */
  readonly path: string;
  /** Makes bytes of values. */
  readonly codec: Codec<unknown>;
  /** Says which values are right; undefined: whatever the codec takes. */
  readonly schema: StandardSchemaV1<Given, Value> | undefined;

  /** As `key` makes it, which also checks the path. */
  constructor(
    path: string,
    codec: Codec<unknown>,
    schema: StandardSchemaV1<Given, Value> | undefined,
  ) {
    this.path = path;
    this.codec = codec;
    this.schema = schema;
  }

  /** The key of a znode below this one, of the same type: `Users.at("ada")`. */
  at(name: string): Key<Value, Given> {
    const path = this.path === "/" ? `/${name}` : `${this.path}/${name}`;
    checkPath(path);
    return new Key(path, this.codec, this.schema);
  }
}

/** A path, whose value is bytes, or a key. */
export type Target = string | Key<unknown, unknown>;

/** The bytes as they are. Text is written as UTF-8. */
export const bytes: Codec<Uint8Array | string | null> = {
  name: "bytes",
  encode: checkedData,
  decode: (data) => data,
};

/** UTF-8. A znode without data is the empty text. */
export const text: Codec<string> = {
  name: "text",
  encode: (value) => {
    if (typeof value !== "string") throw new TypeError("not a string");
    return new TextEncoder().encode(value);
  },
  decode: (data) => new TextDecoder("utf-8", { fatal: true }).decode(data ?? new Uint8Array()),
};

/** JSON text. A znode without data is no JSON. */
export const json: Codec<unknown> = {
  name: "json",
  encode: (value) => {
    const encoded: string | undefined = JSON.stringify(value);
    if (encoded === undefined) throw new TypeError("nothing that JSON can hold");
    return new TextEncoder().encode(encoded);
  },
  decode: (data) => {
    if (data === null) throw new TypeError("there is no data");
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  },
};

const encoder = new Encoder({ useRecords: false, tagUint8Array: false });

/** CBOR (RFC 8949): smaller than JSON, and it holds bytes, dates and big integers. */
export const cbor: Codec<unknown> = {
  name: "cbor",
  encode: (value) => encoder.encode(value),
  decode: (data) => {
    if (data === null) throw new TypeError("there is no data");
    return encoder.decode(data);
  },
};

/** A key whose values are what the schema says. `codec` is `json` by default. */
export function key<Schema extends StandardSchemaV1>(
  path: string,
  options: { readonly schema: Schema; readonly codec?: Codec<unknown> },
): Key<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>>;
/** A key whose values are what the codec makes of bytes. Throws BadArgumentsError on a path that is none. */
export function key<Value>(
  path: string,
  options: { readonly codec: Codec<Value> },
): Key<Value, Value>;
export function key(
  path: string,
  options: { readonly schema?: StandardSchemaV1; readonly codec?: Codec<never> | Codec<unknown> },
): Key<unknown, unknown> {
  checkPath(path);
  checkOptions("options", options);
  const { schema, codec = json } = options;
  return new Key(path, codec as Codec<unknown>, schema);
}

export function pathOf(target: Target): string {
  return target instanceof Key ? target.path : target;
}

/**
 * The bytes of a value: at once, unless the schema takes its time. Throws, or rejects with, InvalidValueError. What is stored is the value
 * as it was given, so that reading it goes through the schema in the same way.
 */
export function encoded(
  target: Target,
  value: unknown,
): Uint8Array | null | Promise<Uint8Array | null> {
  if (!(target instanceof Key)) return checkedData(value);
  const { path, codec, schema } = target;
  const encode = (): Uint8Array | null => {
    try {
      return codec.encode(value);
    } catch (error) {
      throw invalid(path, "given", [{ message: messageOf(error, codec), path: [] }], error);
    }
  };
  const checked = schema?.["~standard"].validate(value);
  if (checked === undefined) return encode();
  if (checked instanceof Promise) {
    return checked.then((result) => {
      outputOf(result, path, "given");
      return encode();
    });
  }
  outputOf(checked, path, "given");
  return encode();
}

/** What the bytes mean. Throws, or rejects with, InvalidValueError. */
export function decoded(target: Target, data: Uint8Array | null): unknown {
  if (!(target instanceof Key)) return data;
  const { path, codec, schema } = target;
  let value: unknown;
  try {
    value = codec.decode(data);
  } catch (error) {
    throw invalid(path, "stored", [{ message: messageOf(error, codec), path: [] }], error);
  }
  const checked = schema?.["~standard"].validate(value);
  if (checked === undefined) return value;
  if (checked instanceof Promise) return checked.then((each) => outputOf(each, path, "stored"));
  return outputOf(checked, path, "stored");
}

function outputOf(
  result: StandardSchemaV1.Result<unknown>,
  path: string,
  which: "given" | "stored",
): unknown {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(
    ({ message, path: steps = [] }): ValueIssue => ({
      message,
      path: steps.map((step) => (typeof step === "object" ? step.key : step)),
    }),
  );
  throw invalid(path, which, issues);
}

function invalid(
  path: string,
  which: "given" | "stored",
  issues: readonly ValueIssue[],
  cause?: unknown,
): InvalidValueError {
  return new InvalidValueError(path, which, issues, cause === undefined ? {} : { cause });
}

function messageOf(error: unknown, codec: Codec<unknown>): string {
  return `${codec.name}: ${error instanceof Error ? error.message : String(error)}`;
}
