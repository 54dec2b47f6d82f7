/**
 * What a `server.N` line says of a member, in the form in which ZooKeeper tells it to clients. Source: QuorumPeer.QuorumServer. Nodes meet
 * over NATS, so the two ports are told and not used.
 */
import { isIPv6 } from "node:net";
import { type ServerId } from "../../protocol/ids.ts";
import { listOf, type Reading, serverId } from "./values.ts";

export type ServerLine = { readonly id: ServerId; readonly line: string };

const FORM =
  "must be N=host:port:port, or N=host:port:port;[host:]port with the client port, for each member, with commas between";

/** Reads `1=host:2888:3888;2181,2=…`, also with `server.` before the numbers. */
export function servers(text: string): Reading<readonly ServerLine[]> {
  const lines = listOf(text).map(serverLine);
  const known = lines.flatMap((line) => line ?? []);
  if (known.length === lines.length && new Set(known.map(({ id }) => id)).size === known.length) {
    return { kind: "read", value: known.toSorted((left, right) => left.id - right.id) };
  }
  return { kind: "refused", rule: FORM, hint: "for example 1=db1:2888:3888;2181,2=db2:2888:3888" };
}

function serverLine(text: string): ServerLine | undefined {
  const equals = text.indexOf("=");
  const id = serverId(
    text
      .slice(0, equals)
      .trim()
      .replace(/^server\./, ""),
  );
  const address = serverAddress(text.slice(equals + 1));
  if (id.kind === "refused" || address === undefined) return undefined;
  return { id: id.value, line: `server.${id.value}=${address}` };
}

/** The address as ZooKeeper shows it; undefined if it is none, or that of an observer. */
export function serverAddress(text: string): string | undefined {
  const [quorum = "", client, ...rest] = text.trim().split(";");
  const hosts = quorum.split("|").map(hostText);
  const clientText = client === undefined ? "" : clientAddress(client.trim());
  if (rest.length > 0 || hosts.includes(undefined) || clientText === undefined) return undefined;
  // ZooKeeper sorts them by host.
  const sorted = hosts.toSorted((left = "", right = "") => (left < right ? -1 : 1));
  return `${sorted.join("|")}:participant${clientText}`;
}

function hostText(text: string): string | undefined {
  const parts = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5}):(\d{1,5})(?::participant)?$/i.exec(text.trim());
  const [, host = "", quorumPort, electionPort] = parts ?? [];
  if (parts === null || !isHost(host)) return undefined;
  const ports = [Number(quorumPort), Number(electionPort)];
  // ZooKeeper, and Curator with its classes, takes no server whose two ports are one.
  if (ports[0] === ports[1]) return undefined;
  return ports.every(isPort) ? `${shownHost(host)}:${ports.join(":")}` : undefined;
}

function clientAddress(text: string): string | undefined {
  const parts = /^(?:(\[[^\]]+\]|[^:[\]]+):)?(\d{1,5})$/.exec(text);
  const [, host = "0.0.0.0", port] = parts ?? [];
  if (parts === null || !isHost(host) || !isPort(Number(port))) return undefined;
  return `;${shownHost(host)}:${Number(port)}`;
}

function isHost(text: string): boolean {
  return text.startsWith("[") ? isIPv6(text.slice(1, -1)) : /^[A-Za-z0-9._-]{1,255}$/.test(text);
}

/** As Java shows it: an address of IPv6 with all of its words. */
function shownHost(host: string): string {
  if (!host.startsWith("[")) return host;
  const { hostname } = new URL(`http://${host}`);
  const [before = "", after] = hostname.slice(1, -1).split("::");
  const words = (text: string): string[] => text.split(":").filter((word) => word !== "");
  const tail = after === undefined ? [] : words(after);
  const left = words(before);
  const zeros = Array.from({ length: 8 - left.length - tail.length }, () => "0");
  return `[${[...left, ...zeros, ...tail].join(":")}]`;
}

function isPort(port: number): boolean {
  return port <= 65_535;
}
