/** Proxies before one server: to a client they are several, of which one can be killed. What clients send is recorded. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Servers } from "../clients/programs.ts";
import { Recorder, type Recording } from "./record.ts";

const HOST = "127.0.0.1";
const COUNT = 3;

type Proxy = {
  readonly listener: Server;
  readonly sockets: Set<Socket>;
};

export class RecordingProxies implements Servers {
  readonly #proxies = new Map<number, Proxy>();
  readonly #recording: Recording;
  readonly #behind: number;
  /** Whose requests come now. */
  client = "";

  /** `behind`: port of the server. */
  static async start(recording: Recording, behind: number): Promise<RecordingProxies> {
    const proxies = new RecordingProxies(recording, behind);
    for (let started = 0; started < COUNT; started += 1) await proxies.#listen(0);
    return proxies;
  }

  private constructor(recording: Recording, behind: number) {
    this.#recording = recording;
    this.#behind = behind;
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
    await this.#listen(port);
  }

  async stop(): Promise<void> {
    for (const [port, { listener }] of this.#proxies) if (listener.listening) await this.kill(port);
  }

  async #listen(port: number): Promise<void> {
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => this.#relay(socket, sockets));
    await new Promise<void>((resolve) => {
      listener.listen(port, HOST, resolve);
    });
    this.#proxies.set((listener.address() as AddressInfo).port, { listener, sockets });
  }

  #relay(socket: Socket, sockets: Set<Socket>): void {
    const recorder = new Recorder(this.#recording, this.client);
    const server = connect(this.#behind, HOST);
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
