/** Values: what a user gives as one, and how one is shown. */
import { createReadStream } from "node:fs";
import { PACKET_BYTES_MAX } from "../../protocol/limits.ts";
import { messageOf } from "../command.ts";
import type { Context } from "./context.ts";
import { MisusedError } from "./exit-codes.ts";
import type { Given } from "./given.ts";

/** The bytes that the operand `value`, or --file, stands for; undefined if neither is given. Throws a MisusedError. */
export async function valueOf(given: Given, context: Context): Promise<Uint8Array | undefined> {
  const text = given.optional("value");
  const file = given.value("file");
  if (text !== undefined && file !== undefined) {
    throw new MisusedError("the value is given twice: as an operand and as --file");
  }
  const encoding = encodingOf(given);
  if (file !== undefined) return decoded(await bytesOf(file), encoding);
  if (text === "-") return decoded(await collected(stdinOf(context), "standard input"), encoding);
  return text === undefined ? undefined : decoded(new TextEncoder().encode(text), encoding);
}

/** Throws a MisusedError in a shell, which reads its lines from there. */
export function stdinOf({ io, inShell }: Context): Context["io"]["stdin"] {
  if (!inShell) return io.stdin;
  throw new MisusedError("standard input is where the shell reads its lines: use --file");
}

type Encoding = "hex" | "base64" | undefined;

export function encodingOf(given: Given): Encoding {
  if (given.has("hex")) return "hex";
  return given.has("base64") ? "base64" : undefined;
}

export type ShownValue = { readonly data: string | null; readonly encoding: string };

/** As text if that keeps every byte, otherwise as base64. */
export function valueJson(data: Uint8Array | null, encoding?: Encoding): ShownValue {
  if (data === null) return { data: null, encoding: encoding ?? "utf8" };
  if (encoding !== undefined) return { data: encoded(data, encoding), encoding };
  const text = utf8Of(data);
  if (text !== undefined) return { data: text, encoding: "utf8" };
  return { data: encoded(data, "base64"), encoding: "base64" };
}

export function encoded(data: Uint8Array, encoding: "hex" | "base64"): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(encoding);
}

/** The text that these bytes are; undefined if they are no UTF-8. */
export function utf8Of(data: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return undefined;
  }
}

/** Throws a MisusedError. White space counts for nothing in either encoding. */
function decoded(bytes: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === undefined) return bytes;
  const text = new TextDecoder().decode(bytes).replaceAll(/\s/g, "");
  const isValid = encoding === "hex" ? /^(?:[0-9a-f]{2})*$/i : /^[A-Za-z0-9+/]*={0,2}$/;
  if (isValid.test(text)) return new Uint8Array(Buffer.from(text, encoding));
  throw new MisusedError(`the value is no ${encoding === "hex" ? "hexadecimal" : "base64"}`);
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await collected(createReadStream(file), file);
  } catch (error) {
    if (error instanceof MisusedError) throw error;
    throw new MisusedError(`--file: ${messageOf(error)}`, { cause: error });
  }
}

/** No request takes more, so no more is kept: encoded bytes are at most twice as long. */
const GIVEN_BYTES_MAX = 2 * PACKET_BYTES_MAX + 1024;

async function collected(
  stream: AsyncIterable<Uint8Array | string>,
  name: string,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    const each = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
    bytes += each.length;
    if (bytes > GIVEN_BYTES_MAX) {
      throw new MisusedError(
        `${name} is larger than a znode's value may be (${PACKET_BYTES_MAX} bytes)`,
      );
    }
    pieces.push(each);
  }
  return Buffer.concat(pieces);
}
