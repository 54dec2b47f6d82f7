/**
 * The JSON API for the dashboard over a client: of any ensemble that a client reaches, Apache ZooKeeper's too. It has those endpoints of a node's
 * own API that need nothing but the protocol.
 */
import type { Client } from "../../client/connect.ts";
import type { ChangeEvent } from "../../protocol/changes.ts";
import { ApiSession } from "../../server/admin/api/session.ts";
import type { Audit } from "../../server/admin/api/audit.ts";
import { children, type Listing } from "../../server/admin/api/children.ts";
import { type Endpoint, ENDPOINTS } from "../../server/admin/api/endpoints.ts";
import { errorReply, jsonReply } from "../../server/admin/api/json.ts";
import { endpointIn } from "../../server/admin/api/request.ts";
import { SharedAnswer } from "../../server/admin/api/shared-answer.ts";
import { ApiStreams } from "../../server/admin/api/streams.ts";
import { count } from "../../server/admin/api/subtree.ts";
import { failureReply, znode } from "../../server/admin/api/tree.ts";
import { answerWrite } from "../../server/admin/api/writes.ts";
import type { ChangesOptions } from "../../server/change-streams.ts";
import type { HttpReply, HttpRequest } from "../../server/admin/http-server.ts";
import type { Servers } from "../console/servers/servers.ts";
import { deleteAll } from "./delete-all.ts";
import { LastListing } from "./last-listing.ts";
import { statsOneByOne } from "./stats.ts";
import { statuses } from "./status.ts";
import { summariesOf } from "./summaries.ts";

export type ClientApiOptions = {
  /** Where the ensemble is, without passwords. */
  readonly at: string;
  readonly connect: (signal: AbortSignal) => Promise<Client>;
  readonly servers: Servers;
  readonly mayWrite: boolean;
  readonly audit: Audit;
};

const OFFERED = ["access", "status", "znode", "children", "count", "changes"] as const;
const WRITES = ["create", "set", "delete", "delete-all"] as const;
type Offered = (typeof OFFERED | typeof WRITES)[number];

type NamesListing = Extract<Listing, { readonly kind: "names" }>;

/** How often a stream says how far it has come, so that a page that comes again knows it. */
const PROGRESS_MS = 5000;

export class ClientApi {
  readonly #options: ClientApiOptions;
  readonly #session: ApiSession;
  readonly #statuses: SharedAnswer;
  readonly #streams: ApiStreams;
  readonly #listing = new LastListing();
  readonly #offered: readonly Endpoint[];

  constructor(options: ClientApiOptions) {
    this.#options = options;
    this.#session = new ApiSession(options.connect);
    this.#statuses = new SharedAnswer(async () => await statuses(options.servers, options.at));
    const changes = (path: string, wish: ChangesOptions): AsyncIterable<ChangeEvent> =>
      this.#changes(path, wish);
    this.#streams = new ApiStreams({
      changes,
      summaries: ({ path, below }, { from, ...of }) => {
        const wish = { recursive: below, progress: true, ...(from !== undefined && { from }) };
        return summariesOf(changes(path, wish), { from, ...of });
      },
    });
    const names: readonly string[] = options.mayWrite ? [...OFFERED, ...WRITES] : OFFERED;
    this.#offered = ENDPOINTS.filter(({ name }) => names.includes(name));
  }

  /** Opens the session, which is opened again when it is over. Rejects as `connect` does. */
  async open(): Promise<void> {
    await this.#session.client();
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  /** `who`: whoever has proved who he is. Undefined: nobody has. */
  async answer(request: HttpRequest, who: string | undefined): Promise<HttpReply> {
    const endpoint = endpointIn(request, this.#offered);
    if ("status" in endpoint) return endpoint;
    try {
      return await this.#answer(endpoint.name as Offered, request, who);
    } catch (error) {
      return failureReply(error);
    }
  }

  async #answer(name: Offered, request: HttpRequest, who: string | undefined): Promise<HttpReply> {
    const { query } = request;
    switch (name) {
      case "access":
        return this.#access(who);
      case "status":
        return jsonReply(200, await this.#statuses.get());
      case "changes":
        return this.#streams.answer(request);
      case "znode":
        return await znode(await this.#session.client(), query);
      case "children": {
        const client = await this.#session.client();
        return await children(client, query, this.#listingOf(client));
      }
      case "count":
        return await count(await this.#session.client(), query);
      default: {
        if (who === undefined) {
          return errorReply(403, "ZOOID_NO_PROOF", "only who shows the token may write");
        }
        const client = (): Promise<Client> => this.#session.client();
        const { audit } = this.#options;
        return await answerWrite(name, request, { client, audit, deleteAll, who });
      }
    }
  }

  #access(who: string | undefined): HttpReply {
    const { at, mayWrite } = this.#options;
    const offers = this.#offered.map(({ name }) => name);
    const about = { ensemble: at, node: 0, at, offers };
    return jsonReply(200, { ...about, who: who ?? null, mayWrite: mayWrite && who !== undefined });
  }

  #listingOf(client: Client): Listing {
    if (client.wire.features.pages) return { kind: "pages" };
    const list: NamesListing["list"] = (each, path) => this.#listing.list(each, path);
    return { kind: "names", list, stats: statsOneByOne };
  }

  /** A reader that has gone is let go with the next event: a progress, if nothing changes. */
  async *#changes(
    path: string,
    { recursive = false, from }: ChangesOptions,
  ): AsyncGenerator<ChangeEvent, void, undefined> {
    const client = await this.#session.client();
    const changes = client.changes(path, {
      ...{ recursive, progressMs: PROGRESS_MS, onGap: "emit" },
      ...(from !== undefined && { from }),
    });
    for await (const event of changes) {
      if (event.kind !== "gap") yield event;
      else return yield { kind: "compacted", oldest: event.to };
    }
  }
}
