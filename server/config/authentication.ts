/** Who has to authenticate, and how: the settings, and what the gateways make of them. */
import { createHash, getHashes } from "node:crypto";
import type { Authentication } from "../../actors/gateway/messages.ts";
import { DEFAULT_SCHEMES } from "../../protocol/access.ts";
import type { NodeConfig, Settings } from "./node-config.ts";
import { SASL_PROVIDER, type SaslConfig, saslLoginOf } from "./sasl-settings.ts";
import { flag, listOf, type Reader, type Reading, yesOrNo } from "./values.ts";

type Fields = Pick<
  NodeConfig,
  "superDigest" | "digestAlgorithm" | "digestEnabled" | "skipAcl" | "authEnforced" | "authSchemes"
>;
type AllFields = Fields & SaslConfig & Pick<NodeConfig, "secureClientPort" | "tlsOnClientPort">;

const DIGEST = "digest";
/** The scheme of the names in clients' certificates. */
const CERTIFICATE = "x509";
const SASL = "sasl";
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
  const hasTls = settings.has("secureClientPort") || settings.has("tlsOnClientPort");
  const hasSasl = settings.get("saslScheme")?.value.toLowerCase() === "true";
  const served = [
    ...(digestEnabled ? [DIGEST] : []),
    "ip",
    ...(hasTls ? [CERTIFICATE] : []),
    ...(hasSasl ? [SASL] : []),
  ];
  const authSchemes = read<readonly string[]>("authSchemes", schemesOf(served), []);
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

function schemesOf(served: readonly string[]): Reader<readonly string[]> {
  return (text) => {
    const value = listOf(text);
    if (value.every((scheme) => served.includes(scheme))) {
      return { kind: "read", value };
    }
    const rule = `must be schemes that are served, ${served.join(" or ")}, with commas between`;
    const hint = `x509 needs a port with TLS, and sasl needs authProvider.sasl=${SASL_PROVIDER}`;
    return { kind: "refused", rule, hint };
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

function requiredSchemes(config: AllFields): readonly string[] {
  if (config.saslRequired) return [SASL];
  return config.authEnforced ? config.authSchemes : [];
}

export function authenticationOf(config: AllFields): Authentication {
  const { superDigest: superId, digestAlgorithm, digestEnabled, skipAcl } = config;
  const name = hashName(digestAlgorithm);
  const schemes = new Set(DEFAULT_SCHEMES);
  if (config.secureClientPort !== undefined || config.tlsOnClientPort) {
    schemes.add(CERTIFICATE);
  }
  if (!digestEnabled) schemes.delete(DIGEST);
  if (config.saslScheme) schemes.add(SASL);
  return {
    hash: digestEnabled ? (bytes) => createHash(name).update(bytes).digest() : undefined,
    superDigest: superId,
    sasl: saslLoginOf(config),
    requiredSchemes: requiredSchemes(config),
    schemes,
    skipsAcl: skipAcl,
  };
}
