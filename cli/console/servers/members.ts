/** Over ZooKeeper's protocol, who the servers of an ensemble are: what any of them says in `/zookeeper/config`, else those that the URL names. */
import { CONFIG_PATH } from "../../../protocol/paths.ts";
import { parseZooKeeperUrl } from "../../../client/zookeeper/url.ts";
import { open, type Target } from "../connection.ts";
import type { Place } from "../../srvr.ts";
import type { AskingServers } from "./servers.ts";

export type Member = {
  /** Undefined: only its address is known. */
  readonly id: number | undefined;
  readonly place: Place;
};

/** An ensemble without a leader tells nothing, and is asked all the same. */
const CONFIG_MS_MAX = 5_000;

export async function membersOf(target: Target, asking: AskingServers): Promise<readonly Member[]> {
  const named = namedBy(target);
  // The configuration tells the ports without TLS, which need not be open.
  if (/^zks:/i.test(target.url)) return named;
  const listed = parseMembers(await configOf(target, asking));
  return listed.length > 0 ? listed : named;
}

/** The servers that `/zookeeper/config` lists with an address for clients. */
export function parseMembers(text: string): readonly Member[] {
  return text.split("\n").flatMap((line) => {
    const [, id, host = "", client] =
      /^server\.(\d+)=(\[[^\]]+\]|[^:;]+):\d+:\d+(?::\w+)?(?:;(\S+))?\s*$/.exec(line) ?? [];
    const [, own = "", port] = /^(?:(\[[^\]]+\]|[^:]+):)?(\d+)$/.exec(client ?? "") ?? [];
    if (id === undefined || port === undefined) return [];
    const place = { host: bare(isEvery(own) ? host : own), port: Number(port), tls: undefined };
    return [{ id: Number(id), place }];
  });
}

/** Those that the URL names. */
export function namedBy({ url, options }: Target): readonly Member[] {
  const { hosts, tls } = parseZooKeeperUrl(url);
  return hosts.map((host) => ({
    id: undefined,
    place: { ...host, tls: tls ? (options.tls ?? {}) : undefined },
  }));
}

/** Empty where nobody tells it. */
async function configOf(target: Target, { timeoutMs, signal }: AskingServers): Promise<string> {
  const connectTimeoutMs = Math.min(timeoutMs, CONFIG_MS_MAX);
  // Below a chroot there is no such znode.
  const url = target.url.replace(/^([^/]+\/\/[^/]+).*$/s, "$1");
  try {
    await using client = await open(
      { url, options: { ...target.options, connectTimeoutMs } },
      signal,
    );
    const { data } = await client.get(CONFIG_PATH, { signal });
    return data === null ? "" : new TextDecoder().decode(data);
  } catch {
    signal.throwIfAborted();
    return "";
  }
}

/** An address that stands for all of a host, or for none in particular. */
function isEvery(host: string): boolean {
  return ["", "0.0.0.0", "[::]", "[0:0:0:0:0:0:0:0]"].includes(host);
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
