/** The servers of an ensemble, each of which can be asked four-letter words, whichever way they go. */
import { isZooKeeperUrl } from "../../../client/zookeeper/url.ts";
import { type Answer, askServer, type Asking } from "../../srvr.ts";
import type { Target } from "../connection.ts";
import type { Context } from "../context.ts";
import { type Member, membersOf, namedBy } from "./members.ts";

export type Server = {
  /** Undefined: only its address is known. */
  readonly id: number | undefined;
  /** `host:port`; undefined over NATS, which knows none. */
  readonly address: string | undefined;
  readonly ask: (word: string) => Promise<Answer>;
};

export type Servers = AsyncDisposable & {
  /** In the order of their numbers, or in that of the URL. */
  readonly all: readonly Server[];
};

export type AskingServers = Required<Omit<Asking, "word">>;

/** `named`: those only that the target's URL names. */
export type Which = "all" | "named";

/** As the command's target names them. Rejects with UnreachableError over NATS, if nobody answers. */
export async function serversOfContext(
  { target, signal }: Pick<Context, "target" | "signal">,
  which: Which = "all",
): Promise<Servers> {
  if (target === undefined) throw new Error("the command has a target");
  const { operationTimeoutMs: timeoutMs } = target.options;
  return serversOf(target, { timeoutMs, signal }, which);
}

async function serversOf(target: Target, asking: AskingServers, which: Which): Promise<Servers> {
  if (!isZooKeeperUrl(target.url)) {
    const { serversOverNats } = await import("./over-nats.ts");
    return serversOverNats(target, asking);
  }
  const members = which === "named" ? namedBy(target) : await membersOf(target, asking);
  return {
    all: members.map((member) => serverAt(member, asking)),
    // Each question has a connection of its own.
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function serverAt({ id, place }: Member, asking: AskingServers): Server {
  const { host, port } = place;
  return {
    id,
    address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
    ask: (word) => askServer(place, { ...asking, word }),
  };
}

/** As messages name it. */
export function nameOf({ id, address }: Server): string {
  return address ?? `server ${id}`;
}
