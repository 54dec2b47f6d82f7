/** The settings of TLS: what a zoo.cfg of ZooKeeper's asks for is there, and all that is wrong with its files is said at once. */
import { readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import test from "ava";
import { type Loaded, loadConfig } from "../../../server/config/load.ts";
import { type NodeConfig, problemsText } from "../../../server/config/node-config.ts";
import { cipherSuites } from "../../../server/tls/cipher-suites.ts";
import { readStore } from "../../../server/tls/key-store.ts";
import { loadTerms } from "../../../server/tls/load-terms.ts";
import { CertificateFolder } from "../../support/certificates.ts";

const folder = new CertificateFolder();
const authority = folder.authority("authority");
const server = authority.issue("server", "/CN=server");
const other = authority.issue("other", "/CN=other");
const late = authority.issue("late", "/CN=late", { expired: true });
test.after.always(() => folder.remove());

let files = 0;
function load(...lines: readonly string[]): Loaded {
  files += 1;
  const file = folder.write(`zoo-${files}.cfg`, ["tickTime=2000", ...lines].join("\n"));
  return loadConfig({ transport: "memory", flags: new Map(), file });
}

function configOf(...lines: readonly string[]): NodeConfig {
  const loaded = load(...lines);
  if (loaded.kind === "invalid") throw new Error(problemsText(loaded.problems));
  return loaded.config;
}

function rulesOf(...lines: readonly string[]): readonly (readonly [string, string])[] {
  const loaded = load(...lines);
  if (loaded.kind === "valid") return [];
  return loaded.problems.map(({ field, rule }) => [field, rule] as const);
}

const PORT = "secureClientPort=2281";
const KEYS = `ssl.keyStore.location=${server.store}`;
const TRUST = `ssl.trustStore.location=${authority.certificate}`;

/** What clients would be shown. */
function shownBy(config: NodeConfig): { readonly key: string; readonly certificates: string } {
  const loading = loadTerms(config, Date.now());
  if (loading.kind === "failed") throw new Error(JSON.stringify(loading.problems));
  return loading.terms;
}

test("ZooKeeper's keys give a port for TLS, and there is no other port than the file names", (t) => {
  const config = configOf(PORT, KEYS, TRUST, "secureClientPortAddress=127.0.0.1");
  t.like(config, {
    clientPort: undefined,
    secureClientPort: 2281,
    secureClientPortAddress: "127.0.0.1",
    tlsClientAuth: "need",
    tlsOnClientPort: false,
  });
  t.like(configOf(PORT, KEYS, TRUST, "clientPort=2182"), {
    clientPort: 2182,
    secureClientPort: 2281,
  });
  t.like(configOf(KEYS, TRUST, "client.portUnification=true"), {
    clientPort: 2181,
    secureClientPort: undefined,
    tlsOnClientPort: true,
  });
});

test("the key and its certificate come out of PEM and PKCS12 alike, whatever wrote it", (t) => {
  const expected = readFileSync(server.certificate, "utf8").trim();
  const stores = [
    [server.store, ""],
    [folder.pkcs12(server, "secret", "-certfile", authority.certificate), "secret"],
    [folder.pkcs12({ ...server, name: "plain" }, ""), ""],
    [folder.pkcs12({ ...server, name: "old" }, "secret", ...OLD_CIPHERS), "secret"],
    [folder.pkcs12({ ...server, name: "sha512" }, "Größe", "-macalg", "sha512"), "Größe"],
    [keytool("java.p12", folder.file("server.p12")), "secret"],
    [encryptedPem(), "secret"],
  ] as const;
  for (const [store, password] of stores) {
    const lines = [`ssl.keyStore.location=${store}`, `ssl.keyStore.password=${password}`];
    const { certificates, key } = shownBy(configOf(PORT, TRUST, ...lines));
    t.true(certificates.startsWith(expected), store);
    t.is(key, readFileSync(server.key, "utf8"), store);
  }
});

const OLD_CIPHERS = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"];

/** What `keytool` makes of another store. */
function keytool(name: string, source: string, ...more: string[]): string {
  const out = folder.file(name);
  const from = ["-srckeystore", source, "-srcstoretype", "PKCS12", "-srcstorepass", "secret"];
  const to = ["-destkeystore", out, "-deststorepass", "secret", "-noprompt", ...more];
  execFileSync("keytool", ["-importkeystore", ...from, ...to], { stdio: "ignore" });
  return out;
}

function encryptedPem(): string {
  const key = folder.file("encrypted.key");
  folder.openssl("pkcs8", "-topk8", "-in", server.key, "-out", key, "-passout", "pass:secret");
  const text = readFileSync(server.certificate, "utf8") + readFileSync(key, "utf8");
  return folder.write("encrypted.pem", text);
}

test("authorities come out of a trust store without a key, as keytool makes it", (t) => {
  const store = folder.file("trust.p12");
  const args = ["-importcert", "-noprompt", "-alias", "ca", "-file", authority.certificate];
  execFileSync("keytool", [...args, "-keystore", store, "-storepass", "secret"], {
    stdio: "ignore",
  });
  const loading = loadTerms(
    configOf(PORT, KEYS, `ssl.trustStore.location=${store}`, "ssl.trustStore.password=secret"),
    Date.now(),
  );
  t.is(
    loading.kind === "loaded" ? loading.terms.authorities?.trim() : "",
    readFileSync(authority.certificate, "utf8").trim(),
  );
});

test("a password may stand in a file, whose last line break is none of it and which wins", (t) => {
  const store = folder.pkcs12({ ...server, name: "by-file" }, "from file");
  const lines = [
    `ssl.keyStore.location=${store}`,
    "ssl.keyStore.password=wrong",
    `ssl.keyStore.passwordPath=${folder.write("password", "from file\n")}`,
  ];
  t.deepEqual(rulesOf(PORT, TRUST, ...lines), []);
});

test("everything that is wrong with the files is said at once, each with its setting", (t) => {
  const wrong = folder.pkcs12({ ...server, name: "wrong" }, "right");
  const jks = keytool(
    "java.jks",
    folder.pkcs12({ ...server, name: "for-jks" }, "secret"),
    "-deststoretype",
    "JKS",
  );
  t.deepEqual(
    rulesOf(
      PORT,
      `ssl.keyStore.location=${wrong}`,
      "ssl.keyStore.password=no secret of mine",
      `ssl.trustStore.location=${jks}`,
    ),
    [
      ["tlsKeyStorePassword", "must be the password of the store, and is not"],
      ["tlsTrustStoreFile", "must not be a key store of type JKS, which only Java reads"],
    ],
  );
  const loaded = load(PORT, `ssl.trustStore.location=${jks}`, KEYS);
  const text = loaded.kind === "invalid" ? problemsText(loaded.problems) : "";
  t.regex(text, /keytool -importkeystore .* -deststoretype PKCS12/);
});

test("a password is not repeated in a message", (t) => {
  const wrong = folder.pkcs12({ ...server, name: "secret" }, "right");
  const lines = [`ssl.keyStore.location=${wrong}`, "ssl.keyStore.password=no secret of mine"];
  const loaded = load(PORT, TRUST, ...lines);
  const text = loaded.kind === "invalid" ? problemsText(loaded.problems) : "";
  t.regex(text, /tlsKeyStorePassword = \*\*\*/);
  t.notRegex(text, /no secret/);
});

test("files that are not what they must be are refused with the reason", (t) => {
  const pair = readFileSync(server.key, "utf8") + readFileSync(other.certificate, "utf8");
  const torn = `${readFileSync(server.key, "utf8")}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no key store", [TRUST], /^tlsKeyStoreFile must be given for TLS$/],
    ["no trust store", [KEYS], /^tlsTrustStoreFile must be given where clients are asked for/],
    [
      "a file that is not there",
      [TRUST, "ssl.keyStore.location=/nowhere.pem"],
      /^tlsKeyStoreFile must name a file that is there$/,
    ],
    ["a folder", [TRUST, `ssl.keyStore.location=${folder.path}`], /can be read \(EISDIR/],
    [
      "a key of another certificate",
      [TRUST, `ssl.keyStore.location=${folder.write("pair.pem", pair)}`],
      /the key fits none of the certificates$/,
    ],
    [
      "a certificate without a key",
      [TRUST, `ssl.keyStore.location=${server.certificate}`],
      /^tlsKeyStoreFile must hold a private key$/,
    ],
    [
      "a key without a certificate",
      [TRUST, `ssl.keyStore.location=${server.key}`],
      /^tlsKeyStoreFile must hold a certificate$/,
    ],
    [
      "a certificate that is none",
      [TRUST, `ssl.keyStore.location=${folder.write("torn.pem", torn)}`],
      /^tlsKeyStoreFile has a CERTIFICATE that cannot be read/,
    ],
    [
      "a text",
      [TRUST, `ssl.keyStore.location=${folder.write("text", "hello")}`],
      /^tlsKeyStoreFile must be a key store of type PEM or PKCS12/,
    ],
    [
      "the first byte of a store",
      [TRUST, `ssl.keyStore.location=${folder.write("short.p12", "0\u0001\u0002")}`],
      /^tlsKeyStoreFile is damaged/,
    ],
    [
      "a type that there is not",
      [KEYS, TRUST, "ssl.keyStore.type=BCFKS"],
      /^tlsKeyStoreType must be/,
    ],
    [
      "another type than the file's",
      [KEYS, TRUST, "ssl.keyStore.type=PKCS12"],
      /must be PEM, which/,
    ],
    ["a word that is none", [KEYS, TRUST, "ssl.clientAuth=maybe"], /^tlsClientAuth must be need/],
    ["an old version", [KEYS, TRUST, "ssl.enabledProtocols=TLSv1.1"], /^tlsProtocols must name/],
    ["a suite that there is not", [KEYS, TRUST, "ssl.ciphersuites=TLS_NO"], /has no TLS_NO$/],
    ["neither yes nor no", [KEYS, TRUST, "client.certReload=maybe"], /^tlsReload must be true/],
  ];
  for (const [what, lines, rule] of cases) {
    const rules = rulesOf(PORT, ...lines).map((each) => each.join(" "));
    t.is(rules.length, 1, what);
    t.regex(rules[0] ?? "", rule, what);
  }
});

test("a certificate that has expired is a warning, and so is a key store that nobody uses", (t) => {
  const loaded = load(PORT, TRUST, `ssl.keyStore.location=${late.store}`);
  t.regex(loaded.warnings.join(), /^the certificate of CN=late has expired on \d{4}-\d\d-\d\d: /);
  t.regex(load(KEYS).warnings.join(), /zoo-\d+\.cfg:2: the key store has no effect without/);
  t.deepEqual(load(PORT, KEYS, TRUST).warnings, []);
});

test("lists of withdrawn certificates are read with whatever stands around them, and what is none is refused", (t) => {
  const list = readFileSync(folder.withdrawn(authority, [other]), "utf8");
  const two = folder.write(
    "two.crl",
    `Certificate Revocation List:\n${list}\n\n# once more\n${list}`,
  );
  const config = configOf(PORT, KEYS, TRUST, "ssl.crl=true", `zooid.tlsCrlFile=${two}`);
  const loading = loadTerms(config, Date.now());
  const shown = loading.kind === "loaded" ? loading.terms.withdrawn : undefined;
  t.deepEqual(shown, [list.trim(), list.trim()]);
  const cut = folder.write("cut.crl", list.replace(/\n[^\n]+\n-----END/, "\n-----END"));
  for (const file of [server.certificate, cut]) {
    t.deepEqual(
      rulesOf(PORT, KEYS, TRUST, `zooid.tlsCrlFile=${file}`).map(([field]) => field),
      ["tlsCrlFile"],
    );
  }
  const idle = rulesOf(PORT, KEYS, "ssl.clientAuth=none", `zooid.tlsCrlFile=${two}`);
  t.regex(idle[0]?.[1] ?? "", /asked for no certificate/);
});

test("clients that are asked for nothing need no trust store", (t) => {
  t.deepEqual(rulesOf(PORT, KEYS, "ssl.clientAuth=NONE"), []);
});

test("cipher suites have the names of Java or of OpenSSL", (t) => {
  const java =
    "TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,TLS_RSA_WITH_AES_128_CBC_SHA,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
  const openssl =
    "TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384:AES128-SHA:ECDHE-RSA-CHACHA20-POLY1305";
  t.deepEqual(cipherSuites(java), { kind: "read", value: openssl });
  t.deepEqual(cipherSuites(openssl.replaceAll(":", ",")), { kind: "read", value: openssl });
});

test("a store that is damaged anywhere is read or refused, and nothing else happens", (t) => {
  const store = readFileSync(folder.pkcs12({ ...server, name: "small" }, "secret", "-iter", "1"));
  const damaged = folder.file("damaged.p12");
  const kinds = new Set<string>();
  for (let at = 0; at < store.length; at += 3) {
    const bytes = Buffer.from(store);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(damaged, at % 2 === 0 ? bytes : bytes.subarray(0, at));
    kinds.add(readStore({ file: damaged, password: "secret", type: undefined }).kind);
  }
  t.true(kinds.has("refused"));
});
