/** Proxies before one server: to a client they are several, of which one can be killed. What clients send is recorded. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Servers } from "../clients/programs.ts";
import { Recorder, type Recording } from "./record.ts";

const HOST = "127.0.0.1";
const COUNT = 3;

/** Where it listens, 0: a free port, and the server's port. */
export type Route = { readonly port: number; readonly behind: number };

type Proxy = {
  readonly behind: number;
  readonly listener: Server;
  readonly sockets: Set<Socket>;
};

export class RecordingProxies implements Servers {
  readonly #proxies = new Map<number, Proxy>();
  readonly #recording: Recording;
  /** Whose requests come now. */
  client = "";

  /** Three before one server, whose port this is. */
  static start(recording: Recording, behind: number): Promise<RecordingProxies> {
    const routes = Array.from({ length: COUNT }, () => ({ port: 0, behind }));
    return RecordingProxies.startRoutes(recording, routes);
  }

  static async startRoutes(
    recording: Recording,
    routes: readonly Route[],
  ): Promise<RecordingProxies> {
    const proxies = new RecordingProxies(recording);
    for (const route of routes) await proxies.#listen(route);
    return proxies;
  }

  private constructor(recording: Recording) {
    this.#recording = recording;
  }

  get connectString(): string {
    return [...this.#proxies.keys()].map((port) => `${HOST}:${port}`).join(",");
  }

  /** As the death of a server looks to its clients. */
  async kill(port: number): Promise<void> {
    const proxy = this.#proxies.get(port);
    if (proxy === undefined) throw new Error(`no proxy at ${port}`);
    const closed = new Promise((resolve) => proxy.listener.close(resolve));
    for (const socket of proxy.sockets) socket.destroy();
    await closed;
  }

  async restart(port: number): Promise<void> {
    const proxy = this.#proxies.get(port);
    if (proxy === undefined) throw new Error(`no proxy at ${port}`);
    await this.#listen({ port, behind: proxy.behind });
  }

  async stop(): Promise<void> {
    for (const [port, { listener }] of this.#proxies) if (listener.listening) await this.kill(port);
  }

  async #listen({ port, behind }: Route): Promise<void> {
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => this.#relay(socket, sockets, behind));
    await new Promise<void>((resolve) => {
      listener.listen(port, HOST, resolve);
    });
    this.#proxies.set((listener.address() as AddressInfo).port, {
      ...{ behind, listener, sockets },
    });
  }

  #relay(socket: Socket, sockets: Set<Socket>, behind: number): void {
    const recorder = new Recorder(this.#recording, this.client);
    const server = connect(behind, HOST);
    for (const [from, to, seen] of [
      [socket, server, (bytes: Buffer) => recorder.sent(bytes)],
      [server, socket, (bytes: Buffer) => recorder.received(bytes)],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => {
        seen(bytes);
        to.write(bytes);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.once("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }
}
