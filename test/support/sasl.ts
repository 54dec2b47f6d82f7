/**
 * A client's part of a login by SASL's DIGEST-MD5, and what it may do wrong. Written from RFC 2831 alone, so that a mistake in the product's
 * own part cannot hide in its tests.
 */
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { JuteWriter } from "./jute.ts";
import type { ZkClient } from "./zookeeper-client/client.ts";
import type { Operation } from "./zookeeper-client/operations.ts";

export type User = { readonly user: string; readonly password: string };

export type Directives = Readonly<Record<string, string | undefined>>;

export type Attempt = User & {
  /** Directives that are sent in the place of the right ones; undefined: not at all. */
  readonly sent?: Directives;
  /** Directives that are hashed in the place of the right ones. Default: those that are sent. */
  readonly hashed?: Directives;
  /** Changes the whole response. */
  readonly change?: (response: string) => string;
  /** In the place of the hash of user, realm and password. */
  readonly secret?: Buffer;
};

/** `label` stands in the transcript. What was drawn by chance is not shown. */
export function saslToken(
  label: string,
  token: Buffer | null,
  take: (token: Buffer | null) => string = shownToken,
): Operation {
  return {
    type: 102,
    label: `sasl ${label}`,
    body: new JuteWriter().buffer(token).bytes(),
    write: false,
    decode: (reader) => [take(reader.buffer())],
    decodeError: (reader) => [` with ${shownToken(reader.buffer())}`],
  };
}

function shownToken(token: Buffer | null): string {
  return token === null ? "no token" : token.toString().replace(/nonce="[^"]*"/, 'nonce="…"');
}

/** Sends no part of a login, and returns the nonce that it is challenged with. */
export async function askChallenge(client: ZkClient): Promise<string> {
  let nonce = "";
  const take = (token: Buffer | null): string => {
    nonce = /nonce="([^"]*)"/.exec(token?.toString() ?? "")?.[1] ?? "";
    return `${shownToken(token)}, a nonce of ${nonce.length}`;
  };
  await client.request(saslToken("asks", Buffer.alloc(0), take));
  return nonce;
}

export type Answer = { readonly response: Buffer; readonly proof: string };

const SERVER = { realm: "zk-sasl-md5", "digest-uri": "zookeeper/zk-sasl-md5" };

export function responseTo(nonce: string, attempt: Attempt): Answer {
  const { user, password, sent = {}, hashed = sent, change = (text) => text } = attempt;
  const right = {
    ...{ charset: "utf-8", username: user, ...SERVER, nonce, nc: "00000001", qop: "auth" },
    cnonce: randomBytes(12).toString("base64"),
  };
  const used: Record<string, string | undefined> = { ...right, ...hashed };
  const of = (name: string): string => used[name] ?? "";
  const { secret: given } = attempt;
  const secret =
    given ?? md5(narrow(of("username")), ":", narrow(of("realm")), ":", narrow(password));
  const asked = used["authzid"] === undefined ? [] : [":", used["authzid"]];
  const session = md5(secret, ":", of("nonce"), ":", of("cnonce"), ...asked).toString("hex");
  const answer = (method: string): string => {
    const target = md5(`${method}:${of("digest-uri")}`).toString("hex");
    const parts = [session, of("nonce"), of("nc"), of("cnonce"), of("qop"), target];
    return md5(parts.join(":")).toString("hex");
  };
  const all: Directives = { ...right, response: answer("AUTHENTICATE"), ...sent };
  const plain = new Set(["charset", "nc", "qop", "response", "maxbuf", "nonce-count"]);
  const text = Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => (plain.has(name) ? `${name}=${value}` : `${name}="${value}"`))
    .join(",");
  return { response: Buffer.from(change(text)), proof: `rspauth=${answer("")}` };
}

function narrow(text: string): Buffer {
  return Buffer.from(text, /^[\0-\u00ff]*$/.test(text) ? "latin1" : "utf8");
}

function md5(...parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Asks for a challenge and responds to it. */
export async function logIn(client: ZkClient, label: string, attempt: Attempt): Promise<void> {
  const nonce = await askChallenge(client);
  await respond(client, label, nonce, attempt);
}

export async function respond(
  client: ZkClient,
  label: string,
  nonce: string,
  attempt: Attempt,
): Promise<void> {
  const { response, proof } = responseTo(nonce, attempt);
  const take = (token: Buffer | null): string =>
    token?.toString() === proof ? "the server's proof" : shownToken(token);
  await client.request(saslToken(label, response, take));
}

/** The users of a server, as its JAAS file has them. */
export const USERS: Readonly<Record<"bob" | "ann" | "eve" | "super", User>> = {
  bob: { user: "bob", password: "bob's secret" },
  ann: { user: "ann", password: "päßwörd" },
  eve: { user: "eve", password: "日本" },
  super: { user: "super", password: 'a "quoted" \\ word' },
};

/** Writes the file for servers and for a client of each user, whose section is its name. */
export function writeJaas(path: string): string {
  const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
  const login = "org.apache.zookeeper.server.auth.DigestLoginModule required";
  const users = Object.values(USERS);
  const server = users.map(({ user, password }) => `  user_${user}=${quote(password)}`);
  const sections = users.map(
    ({ user, password }) =>
      `${user} {\n  ${login}\n  username=${quote(user)}\n  password=${quote(password)};\n};`,
  );
  const text = [`Server { // its users`, `  ${login}`, `${server.join("\n")};`, "};", ...sections];
  writeFileSync(path, `${text.join("\n")}\n`, { mode: 0o600 });
  return path;
}
