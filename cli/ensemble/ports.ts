/** Checks before anything is started whether the client ports are free. */
import { createServer } from "node:net";

/** Returns the system's code for why the port cannot be used, such as `EADDRINUSE`; undefined if it is free. */
function portProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

/** Returns one line for each port that cannot be used. */
export async function busyPorts(
  host: string,
  ports: ReadonlyMap<number, number>,
): Promise<readonly string[]> {
  const lines = await Promise.all(
    [...ports].map(async ([id, port]) => {
      const problem = port === 0 ? undefined : await portProblem(host, port);
      if (problem === undefined) return [];
      const why = problem === "EADDRINUSE" ? "is in use" : `cannot be had (${problem})`;
      return [`port ${port}, for node ${id}, ${why}`];
    }),
  );
  return lines.flat();
}
