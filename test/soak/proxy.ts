/**
 * A TCP proxy between one node and one NATS server, which loses the way on demand. Silent: connections stay open and what
 * is sent waits, as in a network that drops packets, and arrives late. Reset: connections break, and new ones too.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export type Direction = "both" | "toNode" | "fromNode";

export type ProxyState =
  | { readonly kind: "open" }
  | { readonly kind: "silent"; readonly direction: Direction }
  | { readonly kind: "reset" };

export type ProxyOptions = {
  readonly host: string;
  readonly target: { readonly host: string; readonly port: number };
};

type Pair = { readonly node: Socket; readonly server: Socket };

const OPEN: ProxyState = { kind: "open" };

export class Proxy {
  readonly #server: Server;
  readonly #target: ProxyOptions["target"];
  readonly #pairs = new Set<Pair>();
  #state: ProxyState = OPEN;

  static async listen(options: ProxyOptions): Promise<Proxy> {
    const proxy = new Proxy(options.target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, options.host, resolve);
    });
    return proxy;
  }

  private constructor(target: ProxyOptions["target"]) {
    this.#target = target;
    this.#server = createServer({ pauseOnConnect: true }, (node) => this.#accept(node));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is closed");
    return address.port;
  }

  set(state: ProxyState): void {
    this.#state = state;
    for (const pair of this.#pairs) {
      if (state.kind === "reset") breakPair(pair);
      else this.#flow(pair);
    }
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) breakPair(pair);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(node: Socket): void {
    if (this.#state.kind === "reset") {
      node.on("error", () => undefined);
      node.resetAndDestroy();
      return;
    }
    const pair: Pair = { node, server: connect(this.#target) };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [pair.node, pair.server],
      [pair.server, pair.node],
    ] as const) {
      from.setNoDelay(true);
      from.on("error", () => breakPair(pair));
      from.once("close", () => {
        this.#pairs.delete(pair);
        breakPair(pair);
      });
      from.on("data", (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on("drain", () => this.#flow(pair));
    }
    this.#flow(pair);
  }

  /** A socket that is paused leaves what comes in the kernel's buffers, and then in the sender's. */
  #flow(pair: Pair): void {
    const state = this.#state;
    const silent = state.kind === "silent" ? state.direction : undefined;
    if (silent === "both" || silent === "fromNode") pair.node.pause();
    else if (!pair.server.writableNeedDrain) pair.node.resume();
    if (silent === "both" || silent === "toNode") pair.server.pause();
    else if (!pair.node.writableNeedDrain) pair.server.resume();
  }
}

function breakPair(pair: Pair): void {
  pair.node.destroy();
  pair.server.destroy();
}
