/** Files of keys and certificates that change are read again, once they have been as they are for a while. */
import { copyFileSync, readFileSync } from "node:fs";
import test from "ava";
import { loadTerms, type TlsConfig, tlsFiles } from "../../../server/tls/load-terms.ts";
import { watchFiles } from "../../../server/tls/reload.ts";
import { CertificateFolder } from "../../support/certificates.ts";
import { firstLook } from "../../support/watched-files.ts";
import { until } from "../../support/until.ts";

const folder = new CertificateFolder();
const authority = folder.authority("authority");
const first = authority.issue("first", "/CN=first");
const second = authority.issue("second", "/CN=second");
test.after.always(() => folder.remove());

function configOf(store: string): TlsConfig {
  return {
    tlsKeyStoreFile: store,
    tlsKeyStorePassword: undefined,
    tlsKeyStorePasswordFile: undefined,
    tlsKeyStoreType: undefined,
    tlsTrustStoreFile: undefined,
    tlsTrustStorePassword: undefined,
    tlsTrustStorePasswordFile: undefined,
    tlsTrustStoreType: undefined,
    tlsClientAuth: "none",
    tlsCrlFile: undefined,
    tlsProtocols: ["TLSv1.3"],
    tlsCiphers: undefined,
  };
}

type Watched = {
  readonly events: string[];
  readonly stop: () => void;
};

function watched(store: string): Watched {
  const events: string[] = [];
  const stop = watchFiles({
    files: tlsFiles(configOf(store)),
    load: () => loadTerms(configOf(store), Date.now()),
    onRenewed: ({ certificates }) => {
      events.push(certificates.length > 0 ? "renewed" : "nothing");
    },
    of: "clients",
    kept: "",
    log: (level, event) => {
      events.push(`${level} ${event}`);
    },
    everyMs: 50,
  });
  return { events, stop };
}

test("new certificates are shown, what cannot be used is not, and then the next one is", async (t) => {
  const store = folder.file("own.pem");
  copyFileSync(first.store, store);
  const { events, stop } = watched(store);
  t.teardown(stop);
  await firstLook();
  folder.replace("own.pem", readFileSync(second.store));
  await until(() => events.length >= 2, "the second is shown");
  t.deepEqual(events, ["renewed", "info certificatesRenewed"]);
  folder.replace("own.pem", "half a file");
  await until(() => events.length >= 3, "half a file is refused");
  folder.replace("own.pem", readFileSync(first.store));
  await until(() => events.length >= 5, "the first is shown again");
  t.deepEqual(events.slice(2), [
    "error certificatesRefused",
    "renewed",
    "info certificatesRenewed",
  ]);
});
