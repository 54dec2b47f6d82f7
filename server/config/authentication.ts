/** Who has to authenticate, and how: the settings, and what the gateways make of them. */
import { createHash, getHashes } from "node:crypto";
import type { Authentication } from "../../actors/gateway/messages.ts";
import { DEFAULT_SCHEMES } from "../../protocol/access.ts";
import type { NodeConfig, Settings } from "./node-config.ts";
import { flag, listOf, type Reader, type Reading, yesOrNo } from "./values.ts";

type Fields = Pick<
  NodeConfig,
  "superDigest" | "digestAlgorithm" | "digestEnabled" | "skipAcl" | "authEnforced" | "authSchemes"
>;

const DIGEST = "digest";
/** The schemes by which a connection can be known. */
const SERVED: readonly string[] = [DIGEST, "ip"];
const ALGORITHM_DEFAULT = "SHA1";

/** How `validate` reads a field, and how it refuses one. */
export type Draft = {
  readonly settings: Settings;
  readonly read: <Value>(field: keyof Fields, reader: Reader<Value>, byDefault: Value) => Value;
  readonly refuse: (field: keyof Fields, rule: string, hint: string) => void;
};

export function readAuthentication({ settings, read, refuse }: Draft): Fields {
  const digestEnabled = read("digestEnabled", flag, true);
  const authEnforced = read("authEnforced", flag, false);
  const authSchemes = read<readonly string[]>("authSchemes", schemesOf(digestEnabled), []);
  if (
    authEnforced &&
    authSchemes.length === 0 &&
    listOf(settings.get("authSchemes")?.value ?? "").length === 0
  ) {
    const rule = "asks for clients to authenticate, and enforce.auth.schemes does not say how";
    refuse("authEnforced", rule, `enforce.auth.schemes=${DIGEST}`);
  }
  return {
    superDigest: read<string | undefined>("superDigest", superDigest, undefined),
    digestAlgorithm: read("digestAlgorithm", algorithm, ALGORITHM_DEFAULT),
    digestEnabled,
    skipAcl: read("skipAcl", yesOrNo, false),
    authEnforced,
    authSchemes,
  };
}

function schemesOf(digestEnabled: boolean): Reader<readonly string[]> {
  const served = SERVED.filter((scheme) => scheme !== DIGEST || digestEnabled);
  return (text) => {
    const value = listOf(text);
    if (value.every((scheme) => served.includes(scheme))) {
      return { kind: "read", value };
    }
    const rule = `must be schemes that are served, ${served.join(" or ")}, with commas between`;
    return { kind: "refused", rule, hint: "there are no SASL and no certificates of clients" };
  };
}

function superDigest(text: string): Reading<string> {
  const colon = text.indexOf(":");
  if (colon >= 0 && colon < text.length - 1) return { kind: "read", value: text };
  const rule = "must be user:hash, as ZooKeeper's DigestAuthenticationProvider prints it";
  return { kind: "refused", rule, hint: "it is not the password itself" };
}

function algorithm(text: string): Reading<string> {
  if (getHashes().includes(hashName(text))) return { kind: "read", value: text };
  const rule = "must be the name of a hash, such as SHA1 or SHA-256";
  return { kind: "refused", rule, hint: "without it, it is SHA1, as in ZooKeeper" };
}

/** Java writes `SHA-256` where OpenSSL writes `sha256`. */
function hashName(algorithmName: string): string {
  const lower = algorithmName.toLowerCase();
  return /^sha-\d+$/.test(lower) ? lower.replace("-", "") : lower;
}

export function authenticationOf(config: Fields): Authentication {
  const { superDigest: superId, digestAlgorithm, digestEnabled, skipAcl } = config;
  const name = hashName(digestAlgorithm);
  const schemes = new Set(DEFAULT_SCHEMES);
  if (!digestEnabled) schemes.delete(DIGEST);
  return {
    hash: digestEnabled ? (bytes) => createHash(name).update(bytes).digest() : undefined,
    superDigest: superId,
    requiredSchemes: config.authEnforced ? config.authSchemes : [],
    schemes,
    skipsAcl: skipAcl,
  };
}
