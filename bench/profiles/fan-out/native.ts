/** Subscribers that use the change streams of zooid's own client. */
import { type Client, connect } from "../../../client/connect.ts";
import { type Audience, LIBRARY_CONNECTIONS_MAX, type Received } from "./audience.ts";

export async function nativeStreams(
  nats: string,
  root: string,
  received: Received,
): Promise<Audience> {
  const subscribers = received.counts.length;
  const clients: Client[] = [];
  return {
    open: async () => {
      const connections = Math.min(subscribers, LIBRARY_CONNECTIONS_MAX);
      for (let each = 0; each < connections; each += 1) clients.push(await connect(nats));
      // A stream begins at the client's last read, so it misses nothing, however long it takes to open.
      await Promise.all(clients.map((client) => client.children(root)));
      for (let subscriber = 0; subscriber < subscribers; subscriber += 1) {
        clients[subscriber % connections]?.changes(root, { recursive: true }).subscribe({
          next: () => received.add(subscriber, 1),
          error: (error: unknown) => received.fail(new Error(String(error))),
        });
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
