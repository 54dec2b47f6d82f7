/**
 * The change feed: committed changes as plain NATS messages, for whoever subscribes. This file has the subject of a path, and what a
 * message says. `docs/feed.md` describes both for programs in any language.
 */
import { FEED_DATA_BYTES_MAX, FEED_SUBJECT_BYTES_MAX } from "./limits.ts";
import type { Change } from "./reads.ts";
import { feedPrefix } from "./subjects.ts";
import type { Zxid } from "./zxid.ts";

/** The version of the messages' format. It is raised when a field changes its meaning, not when one is added. */
const FEED_VERSION = 1;

/**
 * A place in the feed: the zxid and the index among the changes of that zxid, as 16 and 8 hexadecimal digits. So places are
 * compared as texts.
 */
export type FeedPosition = string & { readonly __brand: "FeedPosition" };

/** To write a zxid in hexadecimal as one number takes several times as long. */
const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  return byte.toString(16).padStart(2, "0");
});

/** After every change of a zxid. */
export const FEED_INDEX_MAX = 0xffff_ffff;

/** Before everything. */
export const FEED_BEGIN: FeedPosition = feedPosition(0 as Zxid, 0);

export function feedPosition(zxid: Zxid, index: number): FeedPosition {
  const text = `${digits(Math.floor(zxid / 0x1_0000_0000))}${digits(zxid)}-${digits(index)}`;
  return text as FeedPosition;
}

/** The lowest 32 bits. */
function digits(number: number): string {
  const [first, second] = [DIGITS[number >>> 24], DIGITS[(number >>> 16) & 0xff]];
  return `${first}${second}${DIGITS[(number >>> 8) & 0xff]}${DIGITS[number & 0xff]}`;
}

/** The root's own token. No name is escaped to it, since a `%` of an escaped name has digits behind it. */
const ROOT_TOKEN = "%";
/** Stands for the names that make a subject too long. */
const REST_TOKEN = "%+";
/** Behind a subject whose followers a mark is for. */
const MARK_TOKEN = "%mark";
const PLAIN_PATH = /^[A-Za-z0-9_~/-]*$/;
const ESCAPED = /[^A-Za-z0-9_~-]/gu;

/**
 * The subject of the changes of one znode: each name of its path is a token. Letters, digits, `-`, `_` and `~` stand for themselves, every other
 * byte of a name's UTF-8 is `%` and two digits. A path whose subject would be too long has the subject of as many of its first names
 * as fit, and a token for the rest.
 */
export function feedSubject(ensemble: string, path: string): string {
  const prefix = feedPrefix(ensemble);
  const isPlain = PLAIN_PATH.test(path);
  let tokens = isPlain ? path.slice(1).replaceAll("/", ".") : escapedPath(path);
  if (tokens === "") tokens = ROOT_TOKEN;
  if (prefix.length + tokens.length <= FEED_SUBJECT_BYTES_MAX) return prefix + tokens;
  const most = FEED_SUBJECT_BYTES_MAX - prefix.length - REST_TOKEN.length;
  const end = tokens.lastIndexOf(".", most - 1);
  return prefix + tokens.slice(0, end + 1) + REST_TOKEN;
}

function escapedPath(path: string): string {
  return path.slice(1).split("/").map(escapedName).join(".");
}

function escapedName(name: string): string {
  return name.replaceAll(ESCAPED, (character) =>
    [...Buffer.from(character)].map(escapedByte).join(""),
  );
}

function escapedByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** What a message says beside the change itself. */
export type FeedChange = {
  readonly at: FeedPosition;
  /** What precedes it: by the number of first names that a subscriber follows, the change before it among those. */
  readonly prev: readonly FeedPosition[];
  /** The path as JSON, which many changes have in common. */
  readonly quotedPath: string;
  readonly change: Change;
};

/** The message as JSON. It is written field by field, which takes a third of the time that an object and `JSON.stringify` take. */
export function feedMessage({ at, prev, quotedPath, change }: FeedChange): string {
  const { zxid, kind, stat } = change;
  const { version, mtime, ephemeralOwner } = stat;
  const data = kind === "created" || kind === "data" ? dataField(change.data ?? null) : "";
  return (
    `{"v":${FEED_VERSION},"at":"${at}","prev":${listOf(prev)},"zxid":${zxid},"kind":"${kind}","path":${quotedPath},` +
    `"version":${version},"mtime":${mtime},"ephemeralOwner":${ephemeralOwner}${data}}`
  );
}

/** The subject of the marks for who follows a first name; of those for who follows everything, where the path is the root's. */
export function feedMarkSubject(ensemble: string, path: string): string {
  return path === "/"
    ? feedPrefix(ensemble) + MARK_TOKEN
    : `${feedSubject(ensemble, path)}.${MARK_TOKEN}`;
}

/** Says that nothing has changed since the places before up to `at`. */
export function feedMark({ at, prev, zxid, path }: FeedMark): string {
  return `{"v":${FEED_VERSION},"at":"${at}","prev":${listOf(prev)},"zxid":${zxid},"kind":"mark","path":${JSON.stringify(path)}}`;
}

export type FeedMark = Pick<FeedChange, "at" | "prev"> & {
  readonly zxid: Zxid;
  readonly path: string;
};

function listOf(places: readonly FeedPosition[]): string {
  let text = "";
  for (const place of places) text += text === "" ? `["${place}"` : `,"${place}"`;
  return `${text}]`;
}

/** `text` where the data is one, `base64` where it is not, `omitted` with its length where it is too long. */
function dataField(data: Uint8Array | null): string {
  if (data === null) return ',"text":null';
  if (data.length > FEED_DATA_BYTES_MAX) return `,"omitted":${data.length}`;
  const text = textOf(data);
  // A control character takes six bytes as text.
  if (text !== undefined && text.length <= 2 * data.length + 2) return `,"text":${text}`;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  return `,"base64":"${bytes.toString("base64")}"`;
}

/** As JSON; undefined: it is no text. */
function textOf(data: Uint8Array): string | undefined {
  try {
    return JSON.stringify(UTF8.decode(data));
  } catch {
    return undefined;
  }
}

/** A mark of the byte order is a part of the text. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
