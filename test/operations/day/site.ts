/** Three hosts as docs/operations/several-hosts.md sets them up, from the package: a nats-server and a node each; and one for clients and monitoring. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Child } from "../../support/child.ts";
import { natsServerBinary } from "../../support/nats-server.ts";
import type { DataCentre, Host } from "./hosts.ts";

export type Machine = {
  readonly id: number;
  readonly host: Host;
  readonly folder: string;
  readonly dataFolder: string;
  readonly configFile: string;
};

const NODES = [1, 2, 3] as const;
/** A user's service manager: a node that ends with 75 is started again, any other end is one. */
const SUPERVISOR = 'while "$@"; code=$?; [ $code = 75 ]; do echo "started again"; done; exit $code';

export class Site {
  readonly machines: readonly Machine[];
  /** Where clients and Prometheus run. */
  readonly office: Host;
  readonly token: string = randomBytes(32).toString("hex");
  readonly clientPassword: string = randomBytes(16).toString("hex");
  readonly #project: string;
  readonly #nodePassword: string = randomBytes(16).toString("hex");
  readonly #env: Readonly<Record<string, string>>;

  /** `project`: where npm has installed the package, and Node. */
  constructor(centre: DataCentre, folder: string, project: string) {
    this.#project = project;
    this.#env = { PATH: `${join(project, "node_modules/.bin")}:${process.env["PATH"] ?? ""}` };
    this.machines = NODES.map((id) => {
      const home = join(folder, `host${id}`);
      return {
        ...{ id, host: centre.addHost(`host${id}`), folder: home },
        ...{ dataFolder: join(home, "data"), configFile: join(home, "zoo.cfg") },
      };
    });
    this.office = centre.addHost("office");
  }

  async configure(): Promise<void> {
    for (const machine of this.machines) {
      await mkdir(machine.folder, { recursive: true });
      await writeFile(machine.configFile, this.#zooCfg(machine));
      await this.#writeNats(machine);
      const secrets = {
        "nats.credentials": `node:${this.#nodePassword}`,
        "admin.token": this.token,
      };
      for (const [name, secret] of Object.entries(secrets)) {
        await writeFile(join(machine.folder, name), `${secret}\n`, { mode: 0o600 });
      }
    }
  }

  #zooCfg({ folder, dataFolder, host }: Machine): string {
    const members = this.machines.map((each) => `server.${each.id}=${each.host.address}:2888:3888`);
    return [
      ...members,
      `dataDir=${dataFolder}`,
      ...["tickTime=1000", "clientPort=2181", `clientPortAddress=${host.address}`],
      ...[`zooid.nats=${this.#natsUrls().join(",")}`],
      `zooid.natsCredentialsFile=${join(folder, "nats.credentials")}`,
      ...["admin.enableServer=true", `admin.serverAddress=${host.address}`],
      `zooid.adminTokenFile=${join(folder, "admin.token")}`,
      "",
    ].join("\n");
  }

  #natsUrls(): readonly string[] {
    return this.machines.map(({ host }) => `nats://${host.address}:4222`);
  }

  /** The file of the package, with what is marked in it changed. */
  async #writeNats({ id, folder }: Machine): Promise<void> {
    const route = "route";
    const lines = { NODE: this.#nodePassword, CLIENT: this.clientPassword, ROUTE: route };
    const passwords = Object.entries(lines).map(([user, word]) => `${user}_PASSWORD: "${word}"\n`);
    await writeFile(join(folder, "nats-passwords.conf"), passwords.join(""), { mode: 0o600 });
    const file = await readFile(join(this.#project, "node_modules/zooid/nats.conf"), "utf8");
    const routes = this.machines.map(({ host }) => {
      return `"nats-route://route:${route}@${host.address}:6222"`;
    });
    const own = file
      .replace("server_name: zooid-nats-1 ", `server_name: zooid-nats-${id} `)
      .replace("routes: [\n", `routes: [\n${routes.join("\n")}\n`);
    await writeFile(join(folder, "nats.conf"), own);
  }

  startNats({ host, folder }: Machine): Child {
    return host.start([natsServerBinary(), "-c", "nats.conf"], { cwd: folder, env: this.#env });
  }

  /** As its service manager does. */
  startNode(machine: Machine): Child {
    const { id, configFile } = machine;
    const command = ["zooid", "serve", "--id", String(id), "--config", configFile];
    return this.run(
      machine.host,
      ["sh", "-c", SUPERVISOR, "supervisor", ...command],
      machine.folder,
    );
  }

  run(host: Host, command: readonly string[], cwd: string = this.#project): Child {
    return host.start(command, { cwd, env: this.#env });
  }

  /** For native clients: the list of servers, with the name and the password of their user. */
  get natsUrl(): string {
    const [first, ...others] = this.#natsUrls();
    const named = first?.replace("nats://", `nats://client:${this.clientPassword}@`);
    return [named, ...others].join(",");
  }

  get zkUrl(): string {
    return `zk://${this.machines.map(({ host }) => `${host.address}:2181`).join(",")}`;
  }

  /** The power fails everywhere, and no disk survives. */
  async lose(): Promise<void> {
    for (const { host } of this.machines) host.crash();
    for (const { dataFolder } of this.machines) await rm(dataFolder, { recursive: true });
  }

  /** A program of the office. Its standard input is left open. */
  async program(name: string, source: string, ...args: readonly string[]): Promise<Child> {
    const file = join(this.#project, name);
    await writeFile(file, source);
    return this.run(this.office, ["node", file, ...args]);
  }
}
