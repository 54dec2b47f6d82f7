/** The admin server over TLS, asked by HTTPS with and without certificates, which are renewed meanwhile. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent as PlainAgent, get as plainGet } from "node:http";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { AdminServer } from "../../server/admin/admin-server.ts";
import { loadConfig } from "../../server/config/load.ts";
import type { Problem } from "../../server/config/node-config.ts";
import { makeCertificates } from "../support/development-certificates.ts";
import { firstLook } from "../support/watched-files.ts";

const folder = mkdtempSync(join(tmpdir(), "zooid-admin-tls-"));
const certs = join(folder, "certs");
const strangers = join(folder, "strangers");
const TOKEN = "0123456789abcdef0123456789abcdef";

test.before(async () => {
  await makeCertificates(certs, { clients: "operator,app" });
  await makeCertificates(strangers, { clients: "operator" });
});
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

type Flags = Readonly<Record<string, string>>;

const TLS: Flags = {
  "admin-key-store": join(certs, "node.pem"),
  "admin-trust-store": join(certs, "ca.crt"),
  "admin-certificate-names": "CN=operator",
};

function loaded(flags: Flags): ReturnType<typeof loadConfig> {
  const all = { "admin-port": "0", "client-port": "0", ...flags };
  return loadConfig({ transport: "memory", flags: new Map(Object.entries(all)) });
}

type Opened = { readonly url: string; readonly renewed: Promise<void>; readonly events: string[] };

/** Without a node behind it, which answers `/livez` and lists the commands. */
async function opened(t: ExecutionContext, flags: Flags): Promise<Opened> {
  const loading = loaded(flags);
  if (loading.kind === "invalid") throw new Error(JSON.stringify(loading.problems));
  const events: string[] = [];
  const { promise: renewed, resolve, reject } = Promise.withResolvers<void>();
  const server = await AdminServer.open({
    config: { ...loading.config, lanes: 0 },
    ports: () => undefined,
    say: (_level, event, detail) => {
      events.push(event);
      if (event === "certificatesRenewed") resolve();
      if (event === "certificatesRefused") reject(new Error(JSON.stringify(detail)));
    },
    logControl: undefined,
    certificatesEveryMs: 20,
  });
  t.teardown(() => server.close());
  return { url: server.url, renewed, events };
}

type Told = {
  readonly status: number;
  readonly text: string;
  /** That of the certificate that the server shows. */
  readonly serial: string;
  /** This end of the connection. */
  readonly port: number | undefined;
};

type Asking = {
  /** Whose certificate is shown, of which folder. Default: none is. */
  readonly as?: readonly [folder: string, name: string];
  readonly token?: string;
  readonly agent?: Agent;
  /** The authority that the server's certificate has to be of. Default that of `certs`. */
  readonly ca?: Buffer;
};

/** Rejects when the connection is closed without an answer. */
function ask(url: string, path: string, { as, token, agent, ca }: Asking = {}): Promise<Told> {
  const read = (extension: string): Buffer | undefined =>
    as && readFileSync(join(as[0], `${as[1]}.${extension}`));
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, {
      ca: ca ?? readFileSync(join(certs, "ca.crt")),
      ...{ cert: read("crt"), key: read("key"), headers },
      agent: agent ?? new Agent({ keepAlive: false, maxCachedSessions: 0 }),
    });
    asked.once("error", reject);
    asked.once("response", (response) => {
      const socket = response.socket as TLSSocket;
      const { localPort: port } = socket;
      const { serialNumber: serial } = socket.getPeerCertificate();
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, text, serial, port });
      });
    });
    asked.end();
  });
}

test.serial(
  "a certificate of an operator is let in, another's is not, and who has none is told the health alone",
  async (t) => {
    const { url } = await opened(t, TLS);
    t.regex(url, /^https:\/\/127\.0\.0\.1:/);
    t.is((await ask(url, "/livez")).text, "ok\n");
    const refused = await ask(url, "/commands");
    t.deepEqual(
      [refused.status, refused.text],
      [401, "show a certificate that the node trusts for this\n"],
    );
    t.is((await ask(url, "/commands", { as: [certs, "operator"] })).status, 200);
    t.is((await ask(url, "/commands", { as: [certs, "app"] })).status, 401);
    t.is((await ask(url, "/commands", { token: TOKEN })).status, 401);
    await t.throwsAsync(ask(url, "/livez", { as: [strangers, "operator"] }));
    // Who does not speak TLS is closed, and nobody else notices.
    const plain = new Promise((resolve, reject) => {
      const agent = new PlainAgent();
      plainGet(url.replace("https", "http"), { agent }, resolve).once("error", reject);
    });
    await t.throwsAsync(plain);
    t.is((await ask(url, "/livez")).status, 200);
  },
);

test.serial(
  "a token does as well where there is one, and where certificates are needed nothing is told without",
  async (t) => {
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, TOKEN);
    const either = await opened(t, {
      ...TLS,
      "admin-token-file": tokenFile,
      "admin-address": "0.0.0.0",
    });
    const url = either.url.replace("0.0.0.0", "127.0.0.1");
    t.false(either.events.includes("adminWithoutToken"));
    t.is((await ask(url, "/commands", { token: TOKEN })).status, 200);
    t.is((await ask(url, "/commands", { as: [certs, "operator"] })).status, 200);
    t.is((await ask(url, "/commands", { token: `${TOKEN}0` })).status, 401);
    const strict = await opened(t, { ...TLS, "admin-client-auth": "need" });
    await t.throwsAsync(ask(strict.url, "/livez"));
    t.is((await ask(strict.url, "/livez", { as: [certs, "app"] })).status, 200);
  },
);

test.serial(
  "the client port's certificate is shown where there is no other, and no client is an operator by it",
  async (t) => {
    const { url } = await opened(t, {
      "admin-https": "true",
      "tls-key-store": join(certs, "node.pem"),
      "tls-trust-store": join(certs, "ca.crt"),
    });
    t.is((await ask(url, "/commands")).status, 200);
  },
);

test.serial(
  "a renewed certificate is shown to new connections, and those that there are go on",
  async (t) => {
    const own = join(folder, "renewed");
    await makeCertificates(own);
    const { url, renewed } = await opened(t, { "admin-key-store": join(own, "node.pem") });
    const ca = readFileSync(join(own, "ca.crt"));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    const before = await ask(url, "/livez", { ca, agent });
    await firstLook();
    await makeCertificates(own, { renew: "true" });
    await renewed;
    const stays = await ask(url, "/livez", { ca, agent });
    t.deepEqual([stays.status, stays.port], [200, before.port]);
    const after = await ask(url, "/livez", { ca });
    t.is(after.status, 200);
    t.not(after.serial, before.serial);
  },
);

test.serial("all that is wrong with the settings is said at once", (t) => {
  const problems = (flags: Flags): readonly Problem[] => {
    const loading = loaded(flags);
    return loading.kind === "invalid" ? loading.problems : [];
  };
  const fields = (flags: Flags): readonly string[] => problems(flags).map(({ field }) => field);
  t.deepEqual(fields({ "admin-https": "true" }), ["adminHttps"]);
  t.deepEqual(fields({ ...TLS, "admin-https": "false" }), [
    "adminKeyStoreFile",
    "adminTrustStoreFile",
  ]);
  t.deepEqual(
    fields({
      "admin-https": "true",
      "admin-client-auth": "need",
      "admin-certificate-names": "CN=operator",
      "admin-key-store-password-file": join(certs, "ca.crt"),
    }),
    ["adminKeyStorePasswordFile", "adminCertificateNames", "adminClientAuth"],
  );
  t.deepEqual(fields({ ...TLS, "admin-certificate-names": "operator" }), ["adminCertificateNames"]);
  t.deepEqual(
    fields({
      ...TLS,
      "admin-key-store": join(certs, "ca.crt"),
      "admin-trust-store": join(certs, "ca.key"),
    }),
    ["adminKeyStoreFile", "adminTrustStoreFile"],
  );
});
