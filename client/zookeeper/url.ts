/** Reads `zk://host:port,host:port/chroot`, and `zks://…` for TLS: where an ensemble's servers are, and below which znode paths begin. */
import { BadArgumentsError } from "../../protocol/errors.ts";
import { pathProblem } from "../../protocol/paths.ts";
import type { Host } from "./session/messages.ts";

export type ZooKeeperUrl = {
  readonly tls: boolean;
  /** At least one. */
  readonly hosts: readonly Host[];
  /** Empty: there is none. */
  readonly chroot: string;
};

const FORM =
  "a URL of ZooKeeper's protocol is zk://host:port,host:port/chroot, or zks://… for TLS; the chroot may be left out";
/** What ZooKeeper's servers listen on, unless their configuration says otherwise. There is no such custom for TLS. */
const PORT = 2181;
const PORT_MAX = 65_535;

export function isZooKeeperUrl(url: string): boolean {
  return /^zks?:\/\//i.test(url.trimStart());
}

/** Throws a `BadArgumentsError` that says what is wrong, the rule, and what may have been meant. */
export function parseZooKeeperUrl(url: string): ZooKeeperUrl {
  const parts = /^(zks?):\/\/([^/?#]*)([^?#]*)(.*)$/i.exec(url.trim());
  if (parts === null) throw bad(url, "it begins with neither zk:// nor zks://");
  const [, scheme = "", servers = "", path = "", rest = ""] = parts;
  const tls = scheme.toLowerCase() === "zks";
  if (servers.includes("@")) {
    throw bad(url, "it has a user before the host: give users as `identities` or `sasl`");
  }
  if (rest !== "") throw bad(url, `it ends with "${rest}": settings are options, not of the URL`);
  const hosts = servers.split(",").map((each) => hostOf(url, each.trim(), tls));
  return { tls, hosts, chroot: chrootOf(url, path) };
}

function hostOf(url: string, text: string, tls: boolean): Host {
  if (text === "") throw bad(url, "one of its hosts is empty");
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.%]+)\]|([^[\]:]+))(?::(\d+))?$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) {
    throw bad(url, `"${text}" is no host: an address of IPv6 stands in brackets, as in [::1]:2181`);
  }
  if (port === undefined && tls) {
    throw bad(url, `"${text}" has no port: ZooKeeper has no usual one for TLS`);
  }
  const number = port === undefined ? PORT : Number(port);
  if (number < 1 || number > PORT_MAX)
    throw bad(url, `${port} is no port: they go from 1 to ${PORT_MAX}`);
  return { host, port: number };
}

function chrootOf(url: string, path: string): string {
  const chroot = path === "/" ? "" : path;
  const problem = chroot === "" ? undefined : pathProblem(chroot);
  if (problem !== undefined) throw bad(url, `its chroot "${path}" is no path: ${problem}`);
  return chroot;
}

function bad(url: string, problem: string): BadArgumentsError {
  return new BadArgumentsError(`"${url}": ${problem}. ${FORM[0]?.toUpperCase()}${FORM.slice(1)}`);
}
