/** `zooid certs`: what it makes is judged by OpenSSL and by Node's TLS, and what is in the folder is never lost. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkServerIdentity } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { readFlags } from "../../../cli/flags.ts";
import { certs } from "../../../cli/certs/command.ts";
import { run } from "../../../cli/certs/run.ts";

type Ran = {
  readonly code: number;
  readonly printed: string;
  readonly problems: readonly string[];
};

async function certsIn(folder: string, ...args: readonly string[]): Promise<Ran> {
  const { values, operands, problems } = readFlags([folder, ...args], certs.flags, certs.operands);
  const printed: string[] = [];
  const complaints = [...problems];
  const code = await run(values, operands, {
    print: (line) => printed.push(line),
    complain: (problem) => complaints.push(problem),
  });
  return { code, printed: printed.join("\n"), problems: complaints };
}

function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-certs-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "certs");
}

function certificate(folder: string, name: string): X509Certificate {
  return new X509Certificate(readFileSync(join(folder, `${name}.crt`)));
}

function contents(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]),
  );
}

/** Throws what OpenSSL says, which is strict about what RFC 5280 asks of certificates. */
function verify(folder: string, name: string, purpose: string): void {
  const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.crt", `${name}.crt`];
  execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
}

test("certificates are good for their names, for their purpose, and for nothing else", async (t) => {
  const folder = newFolder(t);
  const names = "db1.example,10.0.0.7,fe80::1:2:3";
  const { code, printed } = await certsIn(folder, "--names", names, "--clients", "app,ops");
  t.is(code, 0);
  for (const purpose of ["sslserver", "sslclient"]) {
    verify(folder, "node", purpose);
    verify(folder, "nats", purpose);
  }
  for (const client of ["app", "ops"]) {
    verify(folder, client, "sslclient");
    t.throws(() => verify(folder, client, "sslserver"));
    t.is(certificate(folder, client).subject, `CN=${client}`);
  }
  const shown = certificate(folder, "node").toLegacyObject();
  for (const name of names.split(",")) t.is(checkServerIdentity(name, shown), undefined, name);
  for (const name of ["db2.example", "10.0.0.8", "fe80::1"]) {
    t.truthy(checkServerIdentity(name, shown), name);
  }
  for (const file of readdirSync(folder)) {
    t.is(statSync(join(folder, file)).mode & 0o777, 0o600, file);
    if (file !== "ca.crt" && file.endsWith(".crt")) t.true(printed.includes(join(folder, file)));
  }
  t.is(statSync(folder).mode & 0o777, 0o700);
  t.true(printed.includes(`ssl.keyStore.location=${join(folder, "node.pem")}`));
  const { "node.pem": store, "node.key": key = "", "node.crt": own = "" } = contents(folder);
  t.is(store, key + own);
});

test("what is in a folder is not written over, and nothing is written beside it", async (t) => {
  const folder = newFolder(t);
  await certsIn(folder);
  const before = contents(folder);
  const again = await certsIn(folder);
  t.is(again.code, 2);
  t.regex(again.problems[0] ?? "", /has ca\.key, ca\.crt, node\.key.* already: --renew makes/);
  rmSync(join(folder, "ca.key"));
  rmSync(join(folder, "ca.crt"));
  const { "ca.key": _key, "ca.crt": _certificate, ...left } = before;
  t.is((await certsIn(folder)).code, 2);
  t.deepEqual(contents(folder), left);
});

test("a renewal has new keys, the same authority, names, modes, and whoever is named and was not there", async (t) => {
  const folder = newFolder(t);
  await certsIn(folder, "--names", "db1.example,::1", "--days", "30");
  chmodSync(join(folder, "node.pem"), 0o640);
  const before = contents(folder);
  const { code } = await certsIn(folder, "--renew", "--clients", "client,app");
  t.is(code, 0);
  const after = contents(folder);
  t.is(after["ca.crt"], before["ca.crt"]);
  t.is(after["ca.key"], before["ca.key"]);
  t.deepEqual(
    Object.keys(after).filter((file) => !(file in before)),
    ["app.crt", "app.key", "app.pem"],
  );
  for (const name of ["node", "nats", "client"]) {
    for (const extension of ["crt", "key", "pem"]) {
      t.not(after[`${name}.${extension}`], before[`${name}.${extension}`]);
    }
    const old = new X509Certificate(before[`${name}.crt`] ?? "");
    const renewed = certificate(folder, name);
    t.is(renewed.subjectAltName, old.subjectAltName);
    t.deepEqual(renewed.keyUsage, old.keyUsage);
    t.true(renewed.validToDate > old.validToDate);
    verify(folder, name, "sslclient");
  }
  t.is(statSync(join(folder, "node.pem")).mode & 0o777, 0o640);
  t.is(statSync(join(folder, "node.key")).mode & 0o777, 0o600);
  await certsIn(folder, "--renew", "--names", "db9.example");
  t.is(certificate(folder, "node").subjectAltName, "DNS:db9.example");
  t.is(certificate(folder, "app").subjectAltName, undefined);
});

test("a renewal that could lose a certificate of another authority renews none", async (t) => {
  const folder = newFolder(t);
  const other = newFolder(t);
  await certsIn(folder);
  await certsIn(other, "--clients", "stranger");
  execFileSync("cp", [join(other, "stranger.crt"), folder]);
  const before = contents(folder);
  const { code, problems } = await certsIn(folder, "--renew");
  t.is(code, 2);
  t.deepEqual(problems, ["stranger.crt is of another authority than ca.crt: move it elsewhere"]);
  t.deepEqual(contents(folder), before);
  const empty = newFolder(t);
  t.regex((await certsIn(empty, "--renew")).problems[0] ?? "", /has no authority that can be read/);
});

test("all that is wrong with the flags is said at once, and nothing is made", async (t) => {
  const folder = newFolder(t);
  const { code, problems } = await certsIn(
    folder,
    ...[
      "--names",
      "a b,1.2.3,ok",
      "--days",
      "3651",
      "--clients",
      "node,ca,../x",
      "--nodes",
      "node",
    ],
  );
  t.is(code, 2);
  t.deepEqual(problems, [
    '--names: "a b" is neither a host name nor an address',
    '--names: "1.2.3" is neither a host name nor an address',
    '"node" cannot be both a node and a client',
    '--clients: "ca" is the name of another certificate here; choose another',
    '--clients: "../x" cannot be a file\'s name: letters, digits, dots and hyphens, up to 60',
    '--days must be a whole number from 1 to 3650, and is "3651"',
  ]);
  t.throws(() => readdirSync(folder));
});
