/** The line a node prints when it listens: `node 1  pid 1234  127.0.0.1:2181`. `zooid ensemble` reads it from its nodes. */

export type NodeLine = {
  readonly id: number;
  readonly pid: number;
  readonly host: string;
  readonly port: number;
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
