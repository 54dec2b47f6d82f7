/** Java and OpenSSL call cipher suites differently. A `zoo.cfg` has Java's names, which are those of IANA. */
import { getCiphers } from "node:tls";
import { listOf, type Reading } from "../config/values.ts";

const KNOWN: ReadonlySet<string> = new Set(getCiphers());

/** Returns the names as OpenSSL has them, with colons between. Takes OpenSSL's own as well. */
export function cipherSuites(text: string): Reading<string> {
  const names = listOf(text);
  const found = names.map((name) => [name, opensslName(name)] as const);
  const strangers = found.filter(([, known]) => known === undefined).map(([name]) => name);
  if (names.length > 0 && strangers.length === 0) {
    return { kind: "read", value: found.map(([, known]) => known).join(":") };
  }
  const rule =
    strangers.length === 0
      ? "must name cipher suites, with commas between"
      : `must name cipher suites that this node has, and it has no ${strangers.join(", ")}`;
  const hint = "for example TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
  return { kind: "refused", rule, hint };
}

function opensslName(name: string): string | undefined {
  const translated = /^TLS_(.+)_WITH_(.+)$/.exec(name);
  const known = translated === null ? name : translate(translated[1] ?? "", translated[2] ?? "");
  return KNOWN.has(known.toLowerCase()) ? known : undefined;
}

/** `ECDHE_RSA` and `AES_128_CBC_SHA256` become `ECDHE-RSA-AES128-SHA256`. */
function translate(exchange: string, cipher: string): string {
  const prefix = exchange === "RSA" ? "" : `${exchange.replaceAll("_", "-")}-`;
  const suffix = cipher
    .replace(/^(AES|ARIA|CAMELLIA)_(\d+)/, "$1$2")
    .replace(/_CBC/, "")
    .replace(/^(CHACHA20_POLY1305)_SHA256$/, "$1")
    .replaceAll("_", "-");
  return prefix + suffix;
}
