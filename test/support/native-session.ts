/** A gateway made of plain calls, and a native client's session that speaks to it. */
import type { ExecutionContext } from "ava";
import { type NativeChannel, NativeWire } from "../../client/native-wire.ts";
import type { ChannelEvent } from "../../client/session/messages.ts";
import type { ZooidError } from "../../protocol/errors.ts";
import type { SessionId } from "../../protocol/ids.ts";
import {
  type ClientItem,
  decodeClientFrame,
  encodeGatewayFrame,
  type GatewayItem,
} from "../../protocol/native.ts";
import type { NativeRequest } from "../../protocol/native-packing.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";

export const SESSION: SessionId = 77 as SessionId;
export const PASSWORD: Uint8Array = new Uint8Array(16).fill(5);
export const STAT: Stat = {
  czxid: 1 as Zxid,
  mzxid: 1 as Zxid,
  ctime: 1,
  mtime: 1,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0,
  dataLength: 0,
  numChildren: 0,
  pzxid: 1 as Zxid,
};
export const GET: NativeRequest = {
  kind: "read",
  read: { kind: "getData", path: "/a", watch: false },
};
export const SET: NativeRequest = {
  kind: "write",
  operation: { kind: "setData", path: "/a", data: null, version: -1 },
};

export class Gateway implements NativeChannel {
  readonly maxPayloadBytes = 1_000_000;
  up = true;
  /** What the client said, without pings and what it has had answers to. */
  said: { readonly subject: string; readonly connection: number; readonly item: ClientItem }[] = [];
  connection = 0;
  closed = false;
  #sequence = 0;
  #happen: (event: ChannelEvent) => void = () => undefined;

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#happen = handler;
  }

  send(subject: string, connection: number, bytes: Uint8Array): void {
    for (const item of decodeClientFrame(bytes).items) {
      if (item.kind === "open") {
        this.connection = connection;
        this.#sequence = 0;
      }
      if (item.kind === "badRequest" || item.kind === "badStream") {
        throw new Error(`the client said something bad: ${JSON.stringify(item)}`);
      }
      if (item.kind !== "ping" && item.kind !== "answered")
        this.said.push({ subject, connection, item });
    }
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  happen(event: ChannelEvent): void {
    if (event.kind === "up") this.up = true;
    if (event.kind === "down") this.up = false;
    this.#happen(event);
  }

  answer(...items: GatewayItem[]): void {
    this.#sequence += 1;
    this.frame(this.#sequence, items);
  }

  frame(sequence: number, items: readonly GatewayItem[]): void {
    const bytes = encodeGatewayFrame({ sequence, items });
    this.#happen({ kind: "received", connection: this.connection, bytes });
  }

  accept(zxid: number, server = 1): void {
    this.answer({
      kind: "opened",
      session: SESSION,
      password: PASSWORD,
      timeoutMs: 60_000,
      server,
      lane: 1,
      zxid: zxid as Zxid,
    });
  }

  /** What was said since the last time, once this turn's frames have gone out. */
  async hears(): Promise<ClientItem[]> {
    await Promise.resolve();
    const items = this.said.map(({ item }) => item);
    this.said = [];
    return items;
  }
}

export function setup(
  t: ExecutionContext,
  proofs: readonly Uint8Array[] = [],
): { readonly gateway: Gateway; readonly session: NativeWire } {
  const gateway = new Gateway();
  const session = new NativeWire(gateway, {
    ensemble: "test",
    sessionTimeoutMs: 60_000,
    operationTimeoutMs: 60_000,
    proofs,
  });
  t.teardown(async () => {
    gateway.happen({ kind: "down" });
    await session.close();
  });
  return { gateway, session };
}

export async function connected(t: ExecutionContext): Promise<ReturnType<typeof setup>> {
  const made = setup(t);
  made.gateway.accept(10);
  await made.gateway.hears();
  return made;
}

export const outcome = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => "done",
    (error: ZooidError) => error.code,
  );
