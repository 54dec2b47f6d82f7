/** The line a node prints when it listens: `node 1  pid 1234  127.0.0.1:2181`. `zooid ensemble` reads it from its nodes. */

export type NodeLine = {
  readonly id: number;
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** Where its admin server answers, if it has one. It stands on a line of its own. */
  readonly adminUrl?: string | undefined;
};

export function nodeLine({ id, pid, host, port }: NodeLine): string {
  return `node ${id}  pid ${pid}  ${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export function parseNodeLine(line: string): NodeLine | undefined {
  const match = /^node (\d+) {2}pid (\d+) {2}(.+):(\d+)$/.exec(line);
  if (match === null) return undefined;
  const [, id, pid, host = "", port] = match;
  return {
    id: Number(id),
    pid: Number(pid),
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port),
  };
}

/** The line before it, of a node with an admin server: `node 1  admin  http://127.0.0.1:8080`. */
export function adminLine(id: number, url: string): string {
  return `node ${id}  admin  ${url}`;
}

export function parseAdminLine(line: string): string | undefined {
  return /^node \d+ {2}admin {2}(https?:\S+)$/.exec(line)?.[1];
}
