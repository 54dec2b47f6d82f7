/** Whether the client ports are free, asked before anything is started. */
import { createServer } from "node:net";

/** The system's name for what is wrong, such as `EADDRINUSE`; undefined when the port can be had. */
function portProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

/** One line for each port that cannot be had. */
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
