/** Answers what is asked of the JSON API. Znodes are read by a client of the node, changes come from the node's own streams. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Facts } from "../../../actors/admin/messages.ts";
import { formatZxid, laterOf, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Changes, ChangesOptions } from "../../change-streams.ts";
import type { NodeConfig } from "../../config/node-config.ts";
import type { ClientPorts } from "../../threads/client-doors.ts";
import { memberOf } from "../answers.ts";
import { NodeNotServingError } from "../../errors.ts";
import type { HttpReply, HttpRequest } from "../http-server.ts";
import type { PastProcess } from "../../history/past-process.ts";
import type { NodeFacts } from "../node-facts.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import type { Audit } from "./audit.ts";
import { type Endpoint, ENDPOINTS } from "./endpoints.ts";
import { children } from "./children.ts";
import { elections } from "./elections.ts";
import { bringBack } from "./bring-back.ts";
import { answerPast, type AskedPast, type PastOptions } from "./history.ts";
import { errorReply, jsonReply } from "./json.ts";
import { latencies } from "./latencies.ts";
import { OtherNodes } from "./other-nodes.ts";
import { ApiSession } from "./session.ts";
import { slowRequests } from "./slow-requests.ts";
import { endpointIn } from "./request.ts";
import { EnsembleSessions } from "./sessions.ts";
import { FreshAnswers, SharedAnswer } from "./shared-answer.ts";
import { statuses } from "./status.ts";
import { ApiStreams } from "./streams.ts";
import { count, deleteAll } from "./subtree.ts";
import { summariesOf } from "./summaries.ts";
import { failureReply, znode } from "./tree.ts";
import { ephemerals, session, watchers, type WatchersOptions } from "./watchers.ts";
import { answerWrite, type Write } from "./writes.ts";

/** A node that serves answers its own client within that. */
const SHOWN_MS_MAX = 1000;

export type ApiOptions = {
  readonly config: NodeConfig;
  readonly facts: NodeFacts;
  /** The name of the door by which the node's own clients come in. */
  readonly ownDoor: string;
  /** Undefined before clients can connect. */
  readonly ports: () => ClientPorts | undefined;
  readonly audit: Audit;
  readonly changes: (path: string, options: ChangesOptions) => Changes;
};

export class Api {
  readonly #options: ApiOptions;
  readonly #session: ApiSession;
  readonly #others: OtherNodes;
  readonly #statuses: SharedAnswer;
  readonly #elections: SharedAnswer;
  readonly #sessions: EnsembleSessions;
  readonly #watchers: WatchersOptions;
  readonly #latencies: SharedAnswer;
  readonly #slowRequests: SharedAnswer;
  /** Dashboards that hear of the same change ask for the same. */
  readonly #read = new FreshAnswers<HttpReply>();
  readonly #streams: ApiStreams;
  #past: PastProcess | undefined;

  constructor(options: ApiOptions) {
    this.#options = options;
    const { config, facts } = options;
    const others = new OtherNodes(config);
    this.#others = others;
    const nodes = { config, facts, others };
    this.#statuses = new SharedAnswer(async () => await statuses(nodes));
    this.#elections = new SharedAnswer(async () => await elections(nodes));
    this.#latencies = new SharedAnswer(async () => await latencies(nodes));
    this.#slowRequests = new SharedAnswer(async () => await slowRequests(nodes));
    this.#sessions = new EnsembleSessions(nodes);
    this.#watchers = { ...nodes, sessions: this.#sessions };
    this.#session = new ApiSession(async (signal) => {
      if (options.ports() === undefined) throw new NodeNotServingError();
      // Most admin servers are not asked for znodes, and do without a client.
      const { connectToOwnNode } = await import("../../embedded/own-client.ts");
      return await connectToOwnNode(options.ownDoor, options.config.ensemble, signal);
    });
    const client = async (): Promise<OwnClient> => await this.#session.client();
    this.#streams = new ApiStreams({
      changes: options.changes,
      summaries: (wish, of) => summariesOf(client, wish, of),
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#session.close(), this.#others.close(), this.#past?.close()]);
  }

  /** `who`: whoever has proved who he is. Undefined: nobody has. */
  async answer(request: HttpRequest, who: string | undefined): Promise<HttpReply> {
    const endpoint = endpointIn(request, ENDPOINTS);
    if ("status" in endpoint) return endpoint;
    try {
      const asked = (): Promise<HttpReply> => this.#answer(endpoint.name, request, who);
      if (!isShared(endpoint)) return await asked();
      return await this.#read.get(`${endpoint.name}?${request.query.toString()}`, asked);
    } catch (error) {
      return failureReply(error);
    }
  }

  async #answer(
    name: Endpoint["name"],
    request: HttpRequest,
    who: string | undefined,
  ): Promise<HttpReply> {
    const { query } = request;
    switch (name) {
      case "znode":
        return await znode(await this.#session.client(), query);
      case "children":
        return await children(await this.#session.client(), query);
      case "changes":
        return this.#streams.answer(request);
      case "ensemble":
        return await this.#facts("stat", (facts) => this.#ensemble(facts));
      case "nodes":
        return await this.#facts("stat", (facts) => this.#nodes(facts));
      case "sessions":
        return await this.#sessions.page(query);
      case "session":
        return await session(this.#watchers, query);
      case "session-ephemerals":
        return await ephemerals(this.#watchers, query);
      case "znode-watchers":
        return await watchers(this.#watchers, query);
      case "span":
      case "history":
      case "znode-at":
      case "children-at":
      case "diff":
      case "find":
        return await this.#answerPast(name, request);
      case "access":
        return this.#access(who);
      case "status":
        return jsonReply(200, await this.#statuses.get());
      case "latencies":
        return jsonReply(200, await this.#latencies.get());
      case "slow-requests":
        return jsonReply(200, await this.#slowRequests.get());
      case "elections":
        return jsonReply(200, await this.#elections.get());
      case "count":
        return await count(await this.#session.client(), query);
      case "create":
      case "set":
      case "delete":
      case "delete-all":
      case "bring-back":
        return await this.#write(name, request, who);
    }
  }

  async #write(what: Write, request: HttpRequest, who: string | undefined): Promise<HttpReply> {
    if (!this.#options.config.adminWrites) {
      return errorReply(
        403,
        "ZOOID_READ_ONLY",
        "--admin-writes true (zooid.adminWrites) allows it",
      );
    }
    if (who === undefined)
      return errorReply(403, "ZOOID_NO_PROOF", "only who proves who he is may write");
    const client = async (): Promise<OwnClient> => await this.#session.client();
    const { audit } = this.#options;
    const past = this.#pastOptions();
    return await answerWrite(what, request, {
      ...{ client, audit, who, deleteAll },
      bringBack: async (asked) => await bringBack(past, asked),
    });
  }

  async #answerPast(what: AskedPast, request: HttpRequest): Promise<HttpReply> {
    return await answerPast(what, request, this.#pastOptions());
  }

  #pastOptions(): PastOptions {
    const { config, facts } = this.#options;
    const client = async (): Promise<OwnClient> => await this.#session.client();
    // Trees report now and then how far they are. What a client of the node is shown is committed too, and whoever has just written asks for it.
    const shown = async (): Promise<Zxid> => (await (await client()).exists("/")).zxid;
    const committed = async (): Promise<Zxid | undefined> => {
      const late = sleep(SHOWN_MS_MAX, ZXID_NONE, { ref: false });
      const served = Promise.race([shown().catch(() => ZXID_NONE), late]);
      const asked = [facts.ask({ gather: "stat" }), served] as const;
      const [all, zxid] = await Promise.all(asked);
      return all === undefined ? undefined : laterOf(all.metrics.zxid, zxid);
    };
    const past = async (): Promise<PastProcess> => {
      // Most admin servers are not asked for the past.
      const { PastProcess } = await import("../../history/past-process.ts");
      this.#past ??= new PastProcess(config);
      return this.#past;
    };
    return { past, committed, client };
  }

  #access(who: string | undefined): HttpReply {
    const { ensemble, id: node, adminWrites } = this.#options.config;
    const mayWrite = adminWrites && who !== undefined;
    const offers = ENDPOINTS.map((each) => each.name);
    const at = `node ${node}`;
    return jsonReply(200, { ensemble, node, at, offers, who: who ?? null, mayWrite });
  }

  async #facts(gather: "stat", made: (facts: Facts) => object): Promise<HttpReply> {
    const facts = await this.#options.facts.ask({ gather });
    return facts === undefined ? NO_ANSWER : jsonReply(200, made(facts));
  }

  #ensemble({ metrics }: Facts): object {
    const { config } = this.#options;
    const { role, epoch, leader = null, zxid, znodes, sessions, ephemerals } = metrics;
    return {
      ...{ ensemble: config.ensemble, node: config.id, role, epoch, leader },
      ...{ zxid: formatZxid(zxid), znodes, sessions, ephemerals, version: metrics.version },
    };
  }

  #nodes({ metrics }: Facts): object {
    const { config } = this.#options;
    const nodes = config.members.map((id) => {
      const member = memberOf(config, id);
      const { host = null, client = null } = member ?? {};
      const isLeader =
        metrics.leader === id || (config.members.length === 1 && metrics.role === "leading");
      return { id, host, client, isLeader, isThis: id === config.id };
    });
    return { nodes };
  }
}

/** Whoever may ask is told the same. */
function isShared({ name, method }: Endpoint): boolean {
  return method === "GET" && name !== "access" && name !== "changes";
}

const NO_ANSWER: HttpReply = errorReply(503, "ZOOID_NO_ANSWER", "the node did not answer in time");
