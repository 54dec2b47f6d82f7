/** Stands between a client of NATS and a nats-server, and fails as networks and servers do. */
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";

/** A proxy in front of a nats-server, or of none. It can fall silent, and end connections at a command of the client. */
export class NatsProxy {
  silent = false;
  /** A client that sends this command is cut off. */
  endAt: string | undefined;
  /** The number of connections so far. */
  accepted = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: number | undefined) {
    this.#server = createServer((client) => {
      this.accepted += 1;
      this.#keep(client);
      if (target === undefined) return;
      const upstream = connectTcp(target, "127.0.0.1");
      this.#keep(upstream);
      client.on("data", (bytes) => {
        if (this.endAt !== undefined && bytes.includes(this.endAt)) client.destroy();
        else if (!this.silent) upstream.write(bytes);
      });
      upstream.on("data", (bytes) => {
        if (!this.silent) client.write(bytes);
      });
      client.on("close", () => upstream.destroy());
    });
  }

  async listen(teardown: (close: () => void) => void): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve()));
    teardown(() => this.close());
    const address = this.#server.address();
    return typeof address === "object" && address !== null
      ? `nats://127.0.0.1:${address.port}`
      : "";
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
  }
}
