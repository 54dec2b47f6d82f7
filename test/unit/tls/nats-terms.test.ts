/** What a node shows NATS servers when its files change between two connections. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import test from "ava";
import type { NatsTlsMaterial } from "../../../runtime/nats/servers.ts";
import { NatsTls, type NatsTlsConfig, refusedOnce } from "../../../server/tls/nats-terms.ts";
import { CertificateFolder } from "../../support/certificates.ts";

const folder = new CertificateFolder();
const authority = folder.authority("authority");
const first = authority.issue("first", "/CN=first");
const second = authority.issue("second", "/CN=second");
test.after.always(() => folder.remove());

function configOf(file: string): NatsTlsConfig {
  return { natsTlsCaFile: file, natsTlsCertFile: file, natsTlsKeyFile: file };
}

test("files that cannot be used at first are an error, and no connection without a certificate", (t) => {
  const file = folder.file("gone.pem");
  const tls = (): NatsTls => new NatsTls(configOf(file), () => undefined);
  t.throws(tls, { code: "ZOOID_NATS_OPTIONS", message: /natsTlsCaFile .*natsTlsCertFile / });
  writeFileSync(file, "half a file");
  t.throws(tls, { code: "ZOOID_NATS_OPTIONS" });
});

test("what cannot be used later is said once, and what was shown before is shown on", async (t) => {
  const file = folder.file("own.pem");
  folder.replace("own.pem", readFileSync(first.store));
  const said: string[] = [];
  const tls = new NatsTls(configOf(file), (level, event) => said.push(`${level} ${event}`));
  /** As each connection asks. */
  const shown = async (): Promise<NatsTlsMaterial> => {
    await Promise.resolve();
    return tls.material;
  };
  const before = await shown();
  t.regex(before.key ?? "", /PRIVATE KEY/);
  t.is(await shown(), before, "it is read once");
  folder.replace("own.pem", "half a file");
  for (let count = 0; count < 3; count += 1) t.is(await shown(), before);
  t.deepEqual(said, ["error certificatesRefused"]);
  folder.replace("own.pem", readFileSync(second.store));
  const after = await shown();
  t.not(after.cert, before.cert);
  t.not(after.key, before.key);
  rmSync(file);
  t.is(await shown(), after);
  t.deepEqual(said, ["error certificatesRefused", "error certificatesRefused"]);
});

test("a problem that the watch and a connection find is said once, until the files are good again", (t) => {
  for (const [tlsReload, expected] of [
    [true, ["Refused a", "Refused b", "Renewed", "Refused b"]],
    [false, ["Refused a", "Refused a", "Refused b", "Renewed", "Refused b"]],
  ] as const) {
    const said: string[] = [];
    const log = refusedOnce({ tlsReload }, (_level, event, { problems = "" }) => {
      said.push(`${event.slice("certificates".length)} ${String(problems)}`.trim());
    });
    for (const problems of ["a", "a", "b"]) log("error", "certificatesRefused", { problems });
    log("info", "certificatesRenewed", { of: "nats" });
    log("error", "certificatesRefused", { problems: "b" });
    t.deepEqual(said, expected);
  }
});
