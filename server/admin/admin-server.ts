/**
 * The admin server of a node: `/livez` and `/readyz` for probes, `/metrics` for Prometheus, and the commands of ZooKeeper's AdminServer.
 * It answers from the time on when the node begins to start, so that a start that waits is seen as one.
 */
import { randomBytes } from "node:crypto";
import type { EventDetail, LogLevel } from "../../runtime/effects.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import type { EventName } from "../../protocol/events.ts";
import type { TlsTerms } from "../../runtime/connections/tls/terms.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { RunningNode } from "../running-node.ts";
import type { PlacedConfig } from "../threads/choice.ts";
import type { ClientPorts } from "../threads/client-doors.ts";
import { adminTlsFiles, loadAdminTerms } from "../tls/admin-terms.ts";
import { problemsLine, watchFiles } from "../tls/reload.ts";
import { AdminAccess } from "./access.ts";
import { Api, type ApiOptions } from "./api/api.ts";
import { auditInto } from "./api/audit.ts";
import { API_PATH } from "./api/endpoints.ts";
import { errorReply } from "./api/json.ts";
import { type Command, commandLinks, commandNamed, refusal, runCommand } from "./commands.ts";
import { DASHBOARD_PATH, dashboardReply } from "./dashboard.ts";
import { foreignProblem } from "./foreign-page.ts";
import { healthReply, NodeHealth, PROCESS } from "./health.ts";
import { type HttpReply, type HttpRequest, HttpServer, isLoopback, TEXT } from "./http-server.ts";
import { processFacts } from "./metrics/known.ts";
import { METRICS_CONTENT_TYPE } from "./metrics/metric.ts";
import { scrapeText } from "./metrics/scrape.ts";
import { NodeFacts } from "./node-facts.ts";

export type AdminServerOptions = {
  readonly config: PlacedConfig;
  /** Undefined before clients can connect. */
  readonly ports: () => ClientPorts | undefined;
  readonly say: (level: LogLevel, event: EventName, detail: EventDetail) => void;
  /** How often the files of certificates are looked at. Default 5000. */
  readonly certificatesEveryMs?: number;
  /** Undefined: the log is another's affair. */
  readonly logControl: LogControl | undefined;
};

/** Who writes the node's log says which level is logged. */
export type LogControl = {
  /** The lowest that is. */
  readonly level: () => LogLevel;
  readonly setLevel: (level: LogLevel) => void;
};

type Started = { readonly facts: NodeFacts; readonly health: NodeHealth; readonly api: Api };

const OWN_DOOR_BYTES = 16;
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const NO_CHANGES = "it changes something, which --admin-changes true (zooid.adminChanges) allows";
const ONLY_WITH_PROOF =
  "it tells of clients and znodes to whoever reaches the port; give the node --admin-token-file (zooid.adminTokenFile), or TLS with --admin-trust-store";
const STARTING: HttpReply = { status: 503, body: "the node is starting\n" };
const NOT_FOUND: HttpReply = {
  status: 404,
  body: `there are /livez, /readyz, /metrics, ${API_PATH}, ${DASHBOARD_PATH}/, and the commands\n`,
};

export class AdminServer {
  /** The name of the door by which the node's own clients come in; nobody else knows it. */
  readonly ownDoor: string = randomBytes(OWN_DOOR_BYTES).toString("hex");
  readonly #options: AdminServerOptions;
  readonly #access: AdminAccess;
  #stopWatching: () => void = () => undefined;
  #http: HttpServer | undefined;
  #node: Started | undefined;

  /** Rejects, in words for an operator, when it cannot listen or has no token where it should. */
  static async open(options: AdminServerOptions): Promise<AdminServer> {
    const server = new AdminServer(options);
    await server.#listen();
    return server;
  }

  private constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#access = new AdminAccess(options.config);
  }

  get url(): string {
    return this.#http?.url ?? "";
  }

  /** The node has actors from now on, who can be asked. */
  attach(
    system: ActorSystem,
    { changes, threadsAnswer }: Pick<ApiOptions, "changes"> & Pick<RunningNode, "threadsAnswer">,
  ): void {
    const facts = new NodeFacts(system);
    const { config, ports, say } = this.#options;
    const log = (detail: EventDetail): void => say("info", "adminWrite", detail);
    const audit = auditInto(config.adminAuditFile, log, () => Date.now());
    const lanes = Math.max(config.lanes, 1);
    const health = new NodeHealth({ system, facts, lanes, threadsAnswer });
    const { ownDoor } = this;
    const api = new Api({ config, facts, ownDoor, ports, changes, audit });
    this.#node = { facts, health, api };
  }

  /** The node goes out of service: from now on no znodes are read or changed, and the session for that ends, of which the node hears. Streams of changes go on until the node stops. */
  async retire(): Promise<void> {
    await this.#node?.api.close();
  }

  async close(): Promise<void> {
    this.#stopWatching();
    await this.#http?.close();
    await this.retire();
  }

  async #listen(): Promise<void> {
    const { adminAddress: host, adminPort: port } = this.#options.config;
    const answer = (request: HttpRequest): Promise<HttpReply> => this.#answer(request);
    const tls = this.#terms();
    const takesPost = (path: string): boolean => path.startsWith(`${API_PATH}/`);
    try {
      this.#http = await HttpServer.listen({ host, port, answer, tls, takesPost });
    } catch (error) {
      throw new Error(listenProblem(error, host, port), { cause: error });
    }
    const url = this.#http.url;
    this.#options.say("info", "adminListening", { url });
    this.#watchCertificates();
    if (isLoopback(host) || this.#access.asksForProof) return;
    this.#options.say("warn", "adminWithoutToken", { url });
  }

  /** Undefined: it speaks HTTP in clear. */
  #terms(): TlsTerms | undefined {
    const { config } = this.#options;
    if (!config.adminHttps) return undefined;
    const loading = loadAdminTerms(config, Date.now());
    if (loading.kind === "loaded") return loading.terms;
    throw new Error(`the admin server cannot speak TLS: ${problemsLine(loading.problems)}`);
  }

  #watchCertificates(): void {
    const { config, say, certificatesEveryMs: everyMs } = this.#options;
    if (!config.adminHttps || !config.tlsReload) return;
    this.#stopWatching = watchFiles({
      files: adminTlsFiles(config),
      load: () => loadAdminTerms(config, Date.now()),
      onRenewed: (terms) => this.#http?.renew(terms),
      of: "admin",
      kept: "operators are shown the ones before",
      log: say,
      ...(everyMs !== undefined && { everyMs }),
    });
  }

  async #answer(request: HttpRequest): Promise<HttpReply> {
    try {
      return await this.#route(request);
    } catch (error) {
      this.#options.say("error", "adminFailed", { path: request.path, error: String(error) });
      return { status: 500, body: "a bug of zooid; its log says more\n" };
    }
  }

  async #route(request: HttpRequest): Promise<HttpReply> {
    const { path, query } = request;
    const { adminCommandUrl: commandUrl, metricsNames } = this.#options.config;
    const isVerbose = query.has("verbose");
    // Whoever orchestrates nodes has no token at hand, and learns nothing but whether this one works.
    if (path === "/livez") {
      const checks = (await this.#node?.health.live()) ?? [PROCESS];
      return healthReply("livez", checks, isVerbose);
    }
    if (path === "/readyz") {
      if (this.#node === undefined) return STARTING;
      const checks = await this.#node.health.ready(this.#options.ports() !== undefined);
      return healthReply("readyz", checks, isVerbose);
    }
    const isCommand = path === commandUrl || path.startsWith(`${commandUrl}/`);
    const { logControl } = this.#options;
    const isLogLevel = path === "/log-level" && logControl !== undefined;
    const isApi = path.startsWith(`${API_PATH}/`);
    if (path !== "/metrics" && !isCommand && !isLogLevel && !isApi) {
      return (await dashboardReply(path)) ?? NOT_FOUND;
    }
    const who = this.#access.proven(request);
    if (this.#access.asksForProof && who === undefined) return unauthorized(this.#access);
    if (isLogLevel) return this.#logLevel(request, logControl);
    if (isApi) return await this.#api(request, who);
    if (path === "/metrics") return await this.#metrics(metricsNames);
    const name = path.slice(commandUrl.length + 1);
    return name === "" ? commandLinks(commandUrl) : await this.#command(request, name);
  }

  async #api(request: HttpRequest, who: string | undefined): Promise<HttpReply> {
    if (this.#isOpenToAll) return errorReply(403, "ZOOID_NO_PROOF", ONLY_WITH_PROOF);
    if (this.#node === undefined) return errorReply(503, "ZOOID_STARTING", "the node is starting");
    return await this.#node.api.answer(request, who);
  }

  /** Others than those on the machine reach it, and nobody proves who he is. */
  get #isOpenToAll(): boolean {
    return !isLoopback(this.#options.config.adminAddress) && !this.#access.asksForProof;
  }

  async #metrics(names: NodeConfig["metricsNames"]): Promise<HttpReply> {
    const facts = await this.#node?.facts.ask({ gather: "stat" });
    if (facts === undefined) {
      return this.#node === undefined ? STARTING : { status: 503, body: "no answer in time\n" };
    }
    const body = scrapeText({ metrics: facts.metrics, process: processFacts(), names });
    return { status: 200, contentType: METRICS_CONTENT_TYPE, body };
  }

  /** Tells the level, or sets it to `?level=`. */
  #logLevel(request: HttpRequest, control: LogControl): HttpReply {
    const { query, remoteAddress } = request;
    const text = query.get("level");
    if (text !== null) {
      const level = LEVELS.find((each) => each === text);
      if (level === undefined) return { status: 400, body: `levels are ${LEVELS.join(", ")}\n` };
      const why = this.#whyNoChange(request);
      if (why !== undefined) return { status: 403, body: `${why}\n` };
      control.setLevel(level);
      this.#options.say("info", "adminChange", { command: "log-level", remoteAddress });
    }
    return { status: 200, body: `${control.level()}\n` };
  }

  async #command(request: HttpRequest, name: string): Promise<HttpReply> {
    const { query, remoteAddress } = request;
    const { config, ports } = this.#options;
    const command = commandNamed(name);
    if (command === undefined) return refusal(200, name, `Unknown command: ${name}`);
    const why = this.#whyNot(command, request);
    if (why !== undefined) return refusal(403, name, why);
    if (this.#node === undefined) return refusal(503, name, "the node is starting");
    const about = { config, ports: ports() };
    const answer = await runCommand(command, { facts: this.#node.facts, about, query });
    if (command.access === "changing") {
      const [first] = command.names;
      this.#options.say("info", "adminChange", { command: first, remoteAddress });
    }
    return answer;
  }

  #whyNot({ access }: Command, request: HttpRequest): string | undefined {
    const why = access === "changing" ? this.#whyNoChange(request) : undefined;
    if (why !== undefined) return why;
    return access === "open" || !this.#isOpenToAll ? undefined : ONLY_WITH_PROOF;
  }

  #whyNoChange(request: HttpRequest): string | undefined {
    return this.#options.config.adminChanges ? foreignProblem(request) : NO_CHANGES;
  }
}

function unauthorized({ advice }: AdminAccess): HttpReply {
  return {
    status: 401,
    contentType: TEXT,
    body: `show ${advice}\n`,
    headers: { "WWW-Authenticate": "Bearer" },
  };
}

function listenProblem(error: unknown, host: string, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = `the admin server cannot listen on port ${port} of ${host}`;
  if (code === "EADDRINUSE") {
    return `${where}: it is in use; choose another with --admin-port (admin.serverPort), or 0 for a free one`;
  }
  if (code === "EACCES") return `${where}: ports below 1024 are not for everybody`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return `${where}: this machine has no such address; see --admin-address (admin.serverAddress)`;
  }
  return `${where}: ${message}`;
}
