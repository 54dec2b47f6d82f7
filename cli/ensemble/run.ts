/** Starts an ensemble, prints what happens to it, and stops it. It starts a node again only when an operator has asked the node for that. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type NatsServer, startNatsServer } from "./nats-server.ts";
import { asEnvironment } from "../../server/nats-environment.ts";
import { NatsServerMissingError } from "./nats-server-binary.ts";
import { EXIT_FAILED, EXIT_OK, messageOf } from "../command.ts";
import { adminLine, nodeLine, type NodeLine } from "../node-line.ts";
import { stopSignal } from "../signals.ts";
import { makeNatsCredentials, type NatsCredentials } from "./nats-credentials.ts";
import type { EnsembleNode, NodePlan } from "./node.ts";
import { startProcessNode } from "./process-node.ts";
import { untilSilent, waitForLeader } from "./status.ts";

/** A missing leader is reported once, after this time. The ensemble continues to try. */
const LATE_AFTER_MS = 30_000;
/** How long the ensemble outlives its last node, for one that a person starts again. */
const ALONE_MS = 60_000;

export type EnsemblePlan = {
  readonly nodes: readonly NodePlan[];
  readonly inProcess: boolean;
  /** NATS servers that run already; undefined to start one. */
  readonly natsUrls: readonly string[] | undefined;
  /** A folder of `zooid certs`: our own nats-server speaks TLS with them. Undefined: it does not. */
  readonly certs: string | undefined;
  /** The folder for the credentials of our own nats-server. */
  readonly folder: string;
  /** The file of the program, which the nodes' processes run. */
  readonly entry: string;
};

/**
 * The share of this machine's processors that a nats-server has beside so many nodes. With all of them its threads wake each other up on
 * processors that the nodes need.
 */
function processorsOfNats(nodes: number): number {
  return Math.max(1, Math.floor(availableParallelism() / (nodes + 1)));
}

class Ensemble {
  readonly #plan: EnsemblePlan;
  readonly #stopping = new AbortController();
  #nats: NatsServer | undefined;
  #nodes: readonly EnsembleNode[] = [];
  #lines: readonly NodeLine[] = [];
  readonly #gone = new Set<number>();

  constructor(plan: EnsemblePlan) {
    this.#plan = plan;
  }

  /** Resolves when there is a leader, or when the ensemble is being stopped. Rejects when a node does not start. */
  async start(): Promise<void> {
    const start = await this.#nodeStarter();
    if (this.#stopping.signal.aborted) return;
    this.#nodes = this.#plan.nodes.map(start);
    for (const node of this.#nodes) {
      void node.exited.then((how) => this.#onNodeExit(node, how));
    }
    const lines: NodeLine[] = [];
    for (const node of this.#nodes) {
      const line = await node.listening;
      if (this.#stopping.signal.aborted) return;
      if (line.adminUrl !== undefined) console.log(adminLine(line.id, line.adminUrl));
      console.log(nodeLine(line));
      lines.push(line);
    }
    this.#lines = lines;
    await this.#sayReady(lines);
  }

  /**
   * Resolves when the last node has ended. Nodes that were started again, each by its command, are processes of somebody else: NATS stays
   * for as long as one of them answers.
   */
  async ended(): Promise<void> {
    const { signal } = this.#stopping;
    await Promise.all(this.#nodes.map((node) => node.exited));
    const mayComeBack = this.#nodes.some(({ restartCommand }) => restartCommand !== undefined);
    if (signal.aborted || !mayComeBack) return;
    console.log(
      `all nodes have exited: this goes on while one that was started again answers, and for ${ALONE_MS / 1000} s without`,
    );
    await untilSilent(this.#lines, ALONE_MS, signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#nodes.map((node) => node.stop()));
    // The NATS server is stopped last, since a node that stops in order still sends its last messages over it.
    await this.#nats?.stop();
  }

  killAll(): void {
    for (const node of this.#nodes) {
      if (!this.#gone.has(node.id)) node.kill();
    }
    this.#nats?.kill();
  }

  async #nodeStarter(): Promise<(plan: NodePlan) => EnsembleNode> {
    const { inProcess, natsUrls, entry } = this.#plan;
    const nats = inProcess ? undefined : await this.#natsOf(natsUrls);
    if (nats === undefined) {
      // It brings a whole node along, which an ensemble of processes has no use for.
      const { localNodes } = await import("./local-node.ts");
      return localNodes();
    }
    return (plan) => {
      const flags = new Map([...plan.flags, ...nats.flags]);
      return startProcessNode(entry, { ...plan, flags, variables: nats.variables }, (line) => {
        console.log(`${nodeLine(line)}  restarted`);
      });
    };
  }

  /** Returns the settings with which nodes find NATS; undefined if there is no NATS server. */
  async #natsOf(
    given: readonly string[] | undefined,
  ): Promise<Pick<NodePlan, "flags" | "variables"> | undefined> {
    if (given !== undefined) {
      const { urls, variables } = asEnvironment(given);
      return { flags: new Map([["nats", urls.join(",")]]), variables };
    }
    const { folder, certs } = this.#plan;
    const credentials = makeNatsCredentials(folder, certs);
    const url = await this.#startNats(credentials);
    if (url === undefined) return undefined;
    const flags = new Map([
      ["nats", url],
      ["nats-credentials-file", credentials.nodeFile],
      ...(certs === undefined ? [] : tlsFlags(certs)),
    ]);
    return { flags, variables: {} };
  }

  /** Starts a nats-server and returns its URL; undefined if none could be started. */
  async #startNats(credentials: NatsCredentials): Promise<string | undefined> {
    try {
      const nats = await startNatsServer({
        configFile: credentials.serverFile,
        processors: processorsOfNats(this.#plan.nodes.length),
        onFetch: (folder) => {
          console.log(
            `nats-server is not on this machine: fetching Debian's package into ${folder}`,
          );
        },
      });
      this.#nats = nats;
      const url = this.#plan.certs === undefined ? nats.url : nats.url.replace("nats:", "tls:");
      credentials.writeClientUrl(url);
      console.log(`nats  pid ${nats.pid}  ${url}  clients: ${credentials.clientUrlFile}`);
      void nats.exited.then((how) => {
        if (!this.#stopping.signal.aborted) console.log(`nats  pid ${nats.pid}  exited (${how})`);
      });
      return url;
    } catch (error) {
      if (!(error instanceof NatsServerMissingError)) throw error;
      console.log(
        `${messageOf(error)}\nwithout NATS: all nodes run in this process, as with --in-process`,
      );
      return undefined;
    }
  }

  #onNodeExit(node: EnsembleNode, how: string): void {
    this.#gone.add(node.id);
    // A node that gets the signal before it has a handler for it is ended by the signal, which is no failure.
    const isClean = how === "code 0" || how === "signal SIGTERM";
    if (this.#stopping.signal.aborted && isClean) return;
    console.log(`node ${node.id}  pid ${node.pid}  exited (${how})`);
    if (this.#stopping.signal.aborted || node.restartCommand === undefined) return;
    console.log(`  to start it again, in another terminal: ${node.restartCommand}`);
  }

  async #sayReady(lines: readonly NodeLine[]): Promise<void> {
    const late = setTimeout(() => {
      console.log(`no leader after ${LATE_AFTER_MS / 1000} s; the nodes' logs say more`);
    }, LATE_AFTER_MS);
    const leader = await waitForLeader(
      () => lines.filter((line) => !this.#gone.has(line.id)),
      this.#stopping.signal,
    );
    clearTimeout(late);
    if (leader !== undefined) console.log(`ready: node ${leader.id} leads epoch ${leader.epoch}`);
  }
}

function tlsFlags(certs: string): [flag: string, file: string][] {
  return [
    ["nats-tls-ca", join(certs, "ca.crt")],
    ["nats-tls-cert", join(certs, "node.crt")],
    ["nats-tls-key", join(certs, "node.key")],
  ];
}

/** Returns the exit code. */
export async function runEnsemble(plan: EnsemblePlan): Promise<number> {
  const ensemble = new Ensemble(plan);
  // When this process exits, for whatever reason, its children end too.
  process.once("exit", () => ensemble.killAll());
  const asked = stopSignal(() => ensemble.killAll()).then(() => "asked" as const);
  const lived = ensemble
    .start()
    .then(() => ensemble.ended())
    .then(() => "ended" as const);
  try {
    const outcome = await Promise.race([asked, lived]);
    if (outcome === "asked") console.log("stopping");
    else console.log("no node is left");
    return outcome === "asked" ? EXIT_OK : EXIT_FAILED;
  } catch (error) {
    console.error(`zooid ensemble: ${messageOf(error)}`);
    return EXIT_FAILED;
  } finally {
    lived.catch(() => undefined); // A node that was asked to stop while it started rejects, which is no failure.
    await ensemble.stop();
  }
}
