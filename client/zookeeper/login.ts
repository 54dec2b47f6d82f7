/** A login by SASL's DIGEST-MD5, as ZooKeeper's own clients do it. */
import { createHash, randomBytes } from "node:crypto";
import { DigestClient } from "../../protocol/zookeeper/digest-md5-client.ts";
import type { LoginStep } from "./session/messages.ts";

export type Credentials = { readonly user: string; readonly password: string };

export type Login = { readonly answer: (challenge: Uint8Array) => LoginStep };

const NONCE_BYTES = 18;

export function digestLogin({ user, password }: Credentials): Login {
  return new DigestClient({
    ...{ name: user, password, cnonce: randomBytes(NONCE_BYTES).toString("base64") },
    md5: (bytes) => createHash("md5").update(bytes).digest(),
  });
}
