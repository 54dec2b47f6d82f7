/** Who asks the admin server: whoever shows the node's token or a certificate that is trusted, or whoever reaches the port. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { ADMIN_TOKEN_FILE_BYTES_MAX, ADMIN_TOKEN_LENGTH_MIN } from "../../protocol/limits.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { HttpRequest } from "./http-server.ts";

type AccessConfig = Pick<
  NodeConfig,
  "adminTokenFile" | "adminTrustStoreFile" | "adminClientAuth" | "adminCertificateNames"
>;

export class AdminAccess {
  readonly #token: Buffer | undefined;
  readonly #certificates: boolean;
  /** Undefined: all whose certificates are trusted. */
  readonly #names: readonly string[] | undefined;

  /** Throws, in words for an operator, when the file of the token cannot be used. */
  constructor(config: AccessConfig) {
    const { adminTokenFile, adminClientAuth, adminCertificateNames } = config;
    this.#token = adminTokenFile === undefined ? undefined : digest(readToken(adminTokenFile));
    this.#certificates = adminClientAuth !== "none";
    this.#names = adminCertificateNames?.split(";").map((name) => name.trim());
  }

  /** Whether somebody can prove who he is, and so has to. */
  get asksForProof(): boolean {
    return this.#token !== undefined || this.#certificates;
  }

  /** Who has proved who he is, for the log: `token`, or the name in his certificate. Undefined: nobody has. */
  proven({ authorization = "", certificate }: HttpRequest): string | undefined {
    if (this.#certificates && certificate !== undefined) {
      if (this.#names?.includes(certificate) ?? true) return certificate;
    }
    const [, given] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
    if (given === undefined || this.#token === undefined) return undefined;
    return timingSafeEqual(digest(given), this.#token) ? "token" : undefined;
  }

  /** What the answer 401 says. */
  get advice(): string {
    const token = "the token of the node: Authorization: Bearer TOKEN";
    const certificate = "a certificate that the node trusts for this";
    if (this.#token === undefined) return certificate;
    return this.#certificates ? `${certificate}, or ${token}` : token;
  }
}

/** Digests have one length, so that how long a comparison takes says nothing. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function readToken(file: string): string {
  const text = readFileSync(file, "utf8").trim();
  const isToken = /^[\x21-\x7e]+$/.test(text) && text.length >= ADMIN_TOKEN_LENGTH_MIN;
  if (isToken && text.length <= ADMIN_TOKEN_FILE_BYTES_MAX) return text;
  throw new Error(
    `${file} must hold one token of ${ADMIN_TOKEN_LENGTH_MIN} to ${ADMIN_TOKEN_FILE_BYTES_MAX} printable characters without spaces: openssl rand -hex 32`,
  );
}
