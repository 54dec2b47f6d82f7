/** Real nats-servers for tests: each on ports of its own, stopped by its process id. */
import { existsSync, watch } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Child } from "./child.ts";

export type NatsServerOptions = {
  /** Text of its configuration, without ports. Default: none, which lets everybody do everything. */
  readonly config?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** The cluster's name, and the routes to its other servers. */
  readonly cluster?: { readonly name: string; readonly routes: readonly string[] };
};

export type NatsServer = {
  readonly host: string;
  readonly port: number;
  /** `nats://host:port`. */
  readonly url: string;
  /** `nats-route://host:port`, of a clustered one. */
  readonly routeUrl: string | undefined;
  /** What it has logged so far. */
  readonly output: () => string;
  /** At once, as in a crash. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const HOST = "127.0.0.1";

/** Resolves once it accepts connections. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const command = natsServerBinary();
  const folder = await mkdtemp(join(tmpdir(), "zooid-nats-"));
  const configFile = join(folder, "server.conf");
  await writeFile(configFile, configText(options));
  const args = ["-c", configFile, "--ports_file_dir", folder];
  const child = new Child({ command, args });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await child.exited;
    await rm(folder, { recursive: true, force: true });
  };
  const looking = new AbortController();
  try {
    const ports = await Promise.race([
      portsFile(folder, `nats-server_${child.pid}.ports`, looking.signal),
      child.exited,
    ]);
    if (ports === undefined) throw new Error(`nats-server did not start:\n${child.output()}`);
    const port = Number(new URL(ports.nats[0] ?? "").port);
    const routePort = options.cluster === undefined ? undefined : clusterPort(ports);
    return {
      host: HOST,
      port,
      url: `nats://${HOST}:${port}`,
      routeUrl: routePort === undefined ? undefined : `nats-route://${HOST}:${routePort}`,
      output: () => child.output(),
      kill: () => end("SIGKILL"),
      stop: () => end("SIGTERM"),
    };
  } catch (error) {
    looking.abort();
    await end("SIGKILL");
    throw error;
  }
}

/** Two servers of one cluster: a client of one hears what a client of the other says. */
export async function startNatsCluster(): Promise<readonly [NatsServer, NatsServer]> {
  const first = await startNatsServer({ cluster: { name: "test", routes: [] } });
  const routes = first.routeUrl === undefined ? [] : [first.routeUrl];
  try {
    return [first, await startNatsServer({ cluster: { name: "test", routes } })];
  } catch (error) {
    await first.stop();
    throw error;
  }
}

/** `nats.conf` of the project, for a test: its own ports, everything else as it is. */
export async function projectNatsConfig(): Promise<string> {
  const text = await readFile(new URL("../../nats.conf", import.meta.url), "utf8");
  const passwords = ["node", "client", "route"].map(
    (user) => `${user.toUpperCase()}_PASSWORD: "change-me-${user}"`,
  );
  const own = text.replace(/^include .*$/m, passwords.join("\n"));
  return own.replace(/^\s*(?:listen|http): .*$/gm, (line) =>
    line.trimStart().startsWith("http") ? "" : line.replace(/"[^"]*"/, `"${HOST}:-1"`),
  );
}

/** From `ZOOID_NATS_SERVER`, else of the PATH and the places where packages put it. */
export function natsServerBinary(): string {
  const given = process.env["ZOOID_NATS_SERVER"];
  if (given !== undefined && given !== "") return given;
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  for (const folder of folders) {
    const candidate = join(folder, "nats-server");
    if (existsSync(candidate)) return candidate;
  }
  throw new Error("no nats-server here: install the package nats-server, or set ZOOID_NATS_SERVER");
}

function configText(options: NatsServerOptions): string {
  const own = options.config ?? "";
  // A configuration that listens says so itself; -1 takes a free port.
  const listen = /^\s*listen:/m.test(own) ? "" : `listen: "${HOST}:${options.port ?? -1}"\n`;
  const { cluster } = options;
  if (cluster === undefined) return listen + own;
  const routes = cluster.routes.map((route) => JSON.stringify(route)).join(", ");
  return `${listen}${own}\ncluster { name: ${cluster.name}, listen: "${HOST}:-1", routes: [${routes}] }\n`;
}

type Ports = { readonly nats: readonly string[]; readonly cluster?: readonly string[] };

function clusterPort(ports: Ports): number | undefined {
  const url = ports.cluster?.[0];
  return url === undefined ? undefined : Number(new URL(url).port);
}

/** Waits for the file in which the server, once it listens, writes its ports. */
function portsFile(folder: string, name: string, signal: AbortSignal): Promise<Ports> {
  const file = join(folder, name);
  return new Promise((resolve) => {
    const watcher = watch(folder, { signal });
    const look = async (): Promise<void> => {
      const ports = await readPorts(file);
      if (ports === undefined) return;
      watcher.close();
      resolve(ports);
    };
    watcher.on("change", () => void look());
    void look();
  });
}

/** Undefined while the file is not there or not whole. */
async function readPorts(file: string): Promise<Ports | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Ports;
  } catch {
    return undefined;
  }
}
