/**
 * DIGEST-MD5 (RFC 2831) as a server: it sends one challenge, judges one response, and answers it with a proof of its own. What follows is
 * not protected. Where Java's server differs from the RFC, which has ZooKeeper differ, so does this one: it does not look at `nc`, and takes
 * a response without a charset for UTF-8. Sources: DigestMD5Server and DigestMD5Base of OpenJDK 17, ZooKeeperSaslServer of ZooKeeper 3.8.
 */
import { javaText } from "../java-text.ts";

export type Md5 = (bytes: Uint8Array) => Uint8Array;

/** Who is authenticated to. */
export type Service = { readonly realm: string; readonly uri: string };

/** ZooKeeper's names of itself, whatever its host is called. */
export const ZOOKEEPER_SERVICE: Service = { realm: "zk-sasl-md5", uri: "zookeeper/zk-sasl-md5" };

export function challengeOf({ realm }: Service, nonce: string): Uint8Array {
  return Buffer.from(`realm="${realm}",nonce="${nonce}",charset=utf-8,algorithm=md5-sess`);
}

/** What a server keeps of a password. Whoever knows it can authenticate to this realm, and to no other. */
export function secretOf(
  md5: Md5,
  { realm }: Service,
  { name, password }: { readonly name: string; readonly password: string },
): Uint8Array {
  const [user, place, word] = [name, realm, password].map(narrowBytes);
  return md5(Buffer.concat([user ?? NOTHING, COLON, place ?? NOTHING, COLON, word ?? NOTHING]));
}

export type Verdict =
  /** The server proves with `proof` that it knows the password too. */
  | { readonly kind: "proved"; readonly user: string; readonly proof: Uint8Array }
  | { readonly kind: "refused"; readonly reason: string }
  /** Java throws over a number that is none, and ZooKeeper closes the connection without an answer. */
  | { readonly kind: "unreadable" };

export type Judge = {
  readonly md5: Md5;
  readonly service: Service;
  /** What was sent in the challenge. */
  readonly nonce: string;
  readonly secretOf: (user: string) => Uint8Array | undefined;
};

const REASONS = {
  form: "its response is none of DIGEST-MD5",
  other: "its response is for another server, realm, nonce or protection",
  wrong: "its user is unknown or its password wrong",
} as const;

function refused(reason: keyof typeof REASONS): Verdict {
  return { kind: "refused", reason: REASONS[reason] };
}

/** Takes as long for a user that is not known as for one whose password is wrong. */
export function judge(response: Uint8Array, judging: Judge): Verdict {
  const directives = readDirectives(response);
  if (directives === undefined) return refused("form");
  const text = (name: Directive): string | undefined => {
    const bytes = directives.get(name);
    return bytes === undefined ? undefined : textOf(bytes);
  };
  const { md5, service, nonce } = judging;
  const charset = text("charset");
  if (charset !== undefined && charset !== "utf-8") return refused("form");
  if (!isInteger(text("maxbuf"), 10)) return { kind: "unreadable" };
  const user = text("username");
  if (user === undefined) return refused("form");
  if (text("realm") !== service.realm || text("nonce") !== nonce) return refused("other");
  const cnonce = directives.get("cnonce");
  if (cnonce === undefined) return refused("form");
  const nonceCount = text("nonce-count");
  if (!isInteger(nonceCount, 16)) return { kind: "unreadable" };
  if (Number.parseInt(nonceCount ?? "1", 16) !== 1) return refused("other");
  const uri = text("digest-uri");
  if ((text("qop") ?? PROTECTION) !== PROTECTION || !isSameUri(uri, service.uri))
    return refused("other");
  const given = directives.get("response");
  if (given === undefined || uri === undefined) return refused("form");
  const secret = judging.secretOf(user);
  const authzid = directives.get("authzid");
  const known = { secret: secret ?? NOBODY, nonce, cnonce, uri, authzid };
  const answer = (method: string): Buffer => Buffer.from(authorizationOf(md5, known, method));
  const isRight = isSame(given, answer("AUTHENTICATE"));
  if (!isRight || secret === undefined) return refused("wrong");
  return { kind: "proved", user, proof: Buffer.concat([PROOF, answer("")]) };
}

/** What either side proves with that it knows the secret: the client by the method AUTHENTICATE, the server by an empty one. */
export function authorizationOf(
  md5: Md5,
  known: {
    readonly secret: Uint8Array;
    readonly nonce: string;
    readonly cnonce: Uint8Array;
    readonly uri: string;
    /** Whom the client asks to act for; undefined: itself. */
    readonly authzid: Uint8Array | undefined;
  },
  method: string,
): string {
  const { secret, nonce, cnonce, uri, authzid } = known;
  const parts = [secret, COLON, Buffer.from(nonce), COLON, cnonce];
  const session = md5(Buffer.concat(authzid === undefined ? parts : [...parts, COLON, authzid]));
  const hashed = hex(md5(Buffer.from(`${method}:${uri}`)));
  const before = Buffer.from(`${hex(session)}:${nonce}:00000001:`);
  return hex(md5(Buffer.concat([before, cnonce, Buffer.from(`:${PROTECTION}:${hashed}`)])));
}

const NOTHING: Uint8Array = new Uint8Array(0);
const COLON: Uint8Array = Buffer.from(":");
const PROOF: Uint8Array = Buffer.from("rspauth=");
/** Stands for the secret of a user that there is not. */
const NOBODY: Uint8Array = new Uint8Array(16);
/** What follows a login is not protected. */
export const PROTECTION = "auth";

/** A text of Latin-1 is hashed as that, and any other as UTF-8 (RFC 2831, section 2.1.2.1). */
function narrowBytes(text: string): Uint8Array {
  const narrow = Buffer.from(text, "latin1");
  return narrow.toString("latin1") === text ? narrow : Buffer.from(text, "utf8");
}

function textOf(bytes: Uint8Array): string {
  return javaText(Buffer.from(bytes), 0, bytes.length);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Compares in a time that does not depend on where the first difference is. */
function isSame(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < right.length; index += 1) {
    difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  }
  return difference === 0;
}

/** As Java's String.equalsIgnoreCase. */
function isSameUri(given: string | undefined, own: string): boolean {
  return given?.length === own.length && given.toUpperCase().toLowerCase() === own;
}

const INT_MAX = 0x7fff_ffff;

/** Whether Java's Integer.parseInt takes the text. One that is not there is no fault. */
function isInteger(text: string | undefined, radix: 10 | 16): boolean {
  if (text === undefined) return true;
  const form = radix === 10 ? /^[+-]?[0-9]+$/ : /^[+-]?[0-9a-f]+$/i;
  const value = Number.parseInt(text, radix);
  return form.test(text) && value <= INT_MAX && value >= -INT_MAX - 1;
}

/** `nonce-count` is called `nc` by the RFC and by clients, and looked for under this name by Java. */
const DIRECTIVES = [
  "username",
  "realm",
  "nonce",
  "cnonce",
  "nonce-count",
  "qop",
  "digest-uri",
  "response",
  "maxbuf",
  "charset",
  "cipher",
  "authzid",
  "auth-param",
] as const;
export type Directive = (typeof DIRECTIVES)[number];

const Byte = { comma: 0x2c, equals: 0x3d, quote: 0x22, backslash: 0x5c } as const;

/** Reads `key=value,key="value"`. Undefined if that is not what the bytes are, or if a directive that is known comes twice. */
export function readDirectives(bytes: Uint8Array): ReadonlyMap<Directive, Uint8Array> | undefined {
  const known = new Map<Directive, Uint8Array>();
  let at = skipSpace(bytes, 0);
  while (at < bytes.length) {
    if (bytes[at] === Byte.comma) {
      at = skipSpace(bytes, at + 1);
      continue;
    }
    const pair = readPair(bytes, at);
    if (pair === undefined) return undefined;
    at = pair.next;
    const name = DIRECTIVES.find((each) => each === pair.key.toLowerCase());
    if (name === undefined) continue;
    if (known.has(name)) return undefined;
    known.set(name, pair.value);
  }
  return known;
}

type Pair = { readonly key: string; readonly value: Uint8Array; readonly next: number };

function readPair(bytes: Uint8Array, from: number): Pair | undefined {
  let end = from;
  while (end < bytes.length && !isSpace(bytes[end]) && bytes[end] !== Byte.equals) {
    if (bytes[end] === Byte.comma) return undefined;
    end += 1;
  }
  const key = Buffer.from(bytes.subarray(from, end)).toString("latin1");
  // The last one may lack its value, as for Java.
  if (end >= bytes.length) return { key, value: NOTHING, next: end };
  const equals = skipSpace(bytes, end);
  const begin = skipSpace(bytes, equals + 1);
  if (end === from || bytes[equals] !== Byte.equals || begin >= bytes.length) return undefined;
  const value = bytes[begin] === Byte.quote ? quoted(bytes, begin + 1) : plain(bytes, begin);
  return value === undefined ? undefined : { key, ...value };
}

type Value = Pick<Pair, "value" | "next">;

function plain(bytes: Uint8Array, from: number): Value {
  let end = from;
  while (end < bytes.length && !isSpace(bytes[end]) && bytes[end] !== Byte.comma) end += 1;
  return { value: bytes.subarray(from, end), next: skipSpace(bytes, end + 1) };
}

/** A comma or white space has to follow the quote. */
function quoted(bytes: Uint8Array, from: number): Value | undefined {
  const value: number[] = [];
  let at = from;
  while (at < bytes.length && bytes[at] !== Byte.quote) {
    if (bytes[at] === Byte.backslash) at += 1;
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    value.push(byte);
    at += 1;
  }
  if (at >= bytes.length) return undefined;
  const after = bytes[at + 1];
  if (after !== undefined && after !== Byte.comma && !isSpace(after)) return undefined;
  return { value: Uint8Array.from(value), next: skipSpace(bytes, at + 2) };
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}
