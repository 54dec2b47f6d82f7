/**
 * `zooid/fastify`: a Fastify plugin that gives the instance a client.
 *
 *     await app.register(zooid, { url: "nats://127.0.0.1:4222", readyPath: "/ready" });
 *     app.get("/limits", async () => (await app.zooid.get(Limits)).value);
 */
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import {
  BadArgumentsError,
  type Client,
  connect,
  type ConnectOptions,
} from "../../client/connect.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** The client of `zooid/fastify`. */
    readonly zooid: Client;
  }
}

/** A client, or where to connect to. */
export type ZooidPluginOptions = {
  /** A client of the program's own, which the plugin does not close. Or: */
  readonly client?: Client;
  /** Where to connect to. The plugin connects before the instance is ready, and closes the client when the instance has closed. */
  readonly url?: string;
  /** For `connect`. */
  readonly options?: ConnectOptions;
  /**
   * A route, such as `/ready`, that answers 200 while the client is connected, and 503 while it is not, with the session's state. Default: no
   * route.
   */
  readonly readyPath?: string;
};

async function plugin(app: FastifyInstance, given: ZooidPluginOptions): Promise<void> {
  const { client, url, options, readyPath } = given;
  if ((client === undefined) === (url === undefined)) {
    throw new BadArgumentsError("zooid/fastify needs one of `client` and `url`");
  }
  const used = client ?? (await connect(url ?? "", options));
  app.decorate("zooid", used);
  // Requests that are under way when the instance closes may still use the client; Fastify runs these hooks after them.
  if (client === undefined) app.addHook("onClose", () => used.close());
  if (readyPath === undefined) return;
  app.get(readyPath, (_request, reply) => {
    const { kind } = used.state;
    reply.code(kind === "connected" ? 200 : 503).send({ zooid: kind });
  });
}

/** The plugin. What it adds is seen by the whole instance, not by its own children only. */
export const zooid: FastifyPluginAsync<ZooidPluginOptions> = Object.assign(plugin, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "zooid",
  [Symbol.for("plugin-meta")]: { name: "zooid", fastify: "5.x" },
});
