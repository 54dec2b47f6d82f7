/** Runs one scenario against two servers and hands back what their clients saw, ready to be compared. */
import { ZkClient, type ConnectOptions, type Reply } from "./zookeeper-client/client.ts";
import type { Operation } from "./zookeeper-client/operations.ts";
import { lineOf, render, type Line } from "./transcript.ts";

export type Address = { readonly host: string; readonly port: number };
export type Scenario = (stage: Stage) => Promise<void>;

/** Where a scenario plays: it opens named clients, and notes beside what these receive. */
export class Stage {
  readonly address: Address;
  readonly #clients: { readonly name: string; readonly client: ZkClient }[] = [];
  readonly #notes: Line[] = [];

  constructor(address: Address) {
    this.address = address;
  }

  async connect(name: string, options: Partial<ConnectOptions> = {}): Promise<ZkClient> {
    const client = await ZkClient.connect({ ...this.address, ...options });
    this.#clients.push({ name, client });
    return client;
  }

  /** The same session on a new connection, as a client does whose connection broke. */
  reconnect(name: string, old: ZkClient, options: Partial<ConnectOptions> = {}): Promise<ZkClient> {
    const { sessionId, password } = old.grant;
    return this.connect(name, { sessionId, password, lastZxidSeen: old.lastZxidSeen, ...options });
  }

  /** One after the other: each is sent when the one before has been answered. */
  async steps(client: ZkClient, ...operations: readonly Operation[]): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (const operation of operations) replies.push(await client.request(operation));
    return replies;
  }

  note(...line: Line): void {
    this.#notes.push(line);
  }

  /** What each client received, client by client, then the notes. Connections that are still open are closed first. */
  async transcript(): Promise<string[]> {
    const lines: Line[] = [];
    const sessions = new Map<bigint, string>();
    for (const { name, client } of this.#clients) {
      const { sessionId } = client.grant;
      if (sessionId !== 0n && !sessions.has(sessionId))
        sessions.set(sessionId, `session of ${name}`);
      lines.push([`--- ${name}`], ...client.received.map(lineOf));
    }
    for (const { client } of this.#clients) await client.close();
    return render([...lines, ["--- notes"], ...this.#notes], sessions);
  }
}

export async function play(scenario: Scenario, address: Address): Promise<string[]> {
  const stage = new Stage(address);
  await scenario(stage);
  return stage.transcript();
}
