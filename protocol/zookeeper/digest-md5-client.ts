/**
 * DIGEST-MD5 (RFC 2831) as a client: it answers one challenge, and holds the server to the proof that it knows the password too. What
 * follows is not protected. The server's side, and what ZooKeeper has changed, is `digest-md5.ts`.
 */
import {
  authorizationOf,
  type Md5,
  PROTECTION,
  readDirectives,
  secretOf,
  ZOOKEEPER_SERVICE,
} from "./digest-md5.ts";

export type DigestClientOptions = {
  readonly name: string;
  readonly password: string;
  /** What no server can foresee, drawn for this login: letters and digits of base64. */
  readonly cnonce: string;
  readonly md5: Md5;
};

export type DigestStep =
  | { readonly kind: "token"; readonly token: Uint8Array }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly reason: string };

export class DigestClient {
  readonly #options: DigestClientOptions;
  /** What the server has to prove itself with, once the challenge is answered. */
  #proof: string | undefined;

  constructor(options: DigestClientOptions) {
    this.#options = options;
  }

  /** Takes the challenge, then the server's proof. */
  answer(challenge: Uint8Array): DigestStep {
    const said = readDirectives(challenge);
    if (this.#proof !== undefined) {
      const isRight = textOf(challenge) === this.#proof;
      return isRight
        ? { kind: "done" }
        : { kind: "failed", reason: "the server does not prove that it knows the password" };
    }
    const realm = said?.get("realm");
    const nonce = said?.get("nonce");
    if (realm === undefined || nonce === undefined) {
      return { kind: "failed", reason: "the server's challenge is none of DIGEST-MD5" };
    }
    return { kind: "token", token: this.#respond(textOf(realm), textOf(nonce)) };
  }

  #respond(realm: string, nonce: string): Uint8Array {
    const { name, password, cnonce, md5 } = this.#options;
    const { uri } = ZOOKEEPER_SERVICE;
    const secret = secretOf(md5, { realm, uri }, { name, password });
    const authorize = (method: string): string =>
      authorizationOf(
        md5,
        { secret, nonce, cnonce: Buffer.from(cnonce), uri, authzid: undefined },
        method,
      );
    this.#proof = `rspauth=${authorize("")}`;
    const directives = [
      `charset=utf-8,username=${quoted(name)},realm=${quoted(realm)},nonce=${quoted(nonce)}`,
      `nc=00000001,cnonce=${quoted(cnonce)},digest-uri=${quoted(uri)}`,
      `qop=${PROTECTION},response=${authorize("AUTHENTICATE")}`,
    ];
    return Buffer.from(directives.join(","));
  }
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
