/** The native clients' gateway, called by hand: messages in, effects out, time set by the test. */
import { DrivenActor } from "../../runtime/testing/driven.ts";
import type { Context } from "../../runtime/turn.ts";
import type { Effect } from "../../runtime/effects.ts";
import { natsGatewayActor, type NatsGatewayState } from "../../actors/gateway/nats/gateway.ts";
import { type Digests, NO_DIGESTS } from "../../actors/gateway/digests.ts";
import type { NatsGatewayMessage } from "../../actors/gateway/messages.ts";
import type { TreeMessage } from "../../actors/tree/messages.ts";
import type { Verdict } from "./gateway-driver.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";
import { encodeCbor } from "../../protocol/cbor.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import {
  type ClientItem,
  decodeGatewayFrame,
  encodeClientFrame,
  type GatewayItem,
  NATIVE_VERSION,
} from "../../protocol/native.ts";
import type { NativeRequest } from "../../protocol/native-packing.ts";
import type { OperationResult } from "../../protocol/operations.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";
import type { NatsGatewayEffect } from "../../actors/gateway/nats/state.ts";

export const INBOX: string = "zooid.test.client.abc.1";
export const SESSION: SessionId = 77 as SessionId;
export const PASSWORD: Uint8Array = new Uint8Array(16).fill(9);
export const STAT: Stat = {
  czxid: 5 as Zxid,
  mzxid: 6 as Zxid,
  ctime: 1,
  mtime: 2,
  version: 3,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0,
  dataLength: 1,
  numChildren: 0,
  pzxid: 5 as Zxid,
};

/** The actor, called by hand. */
export class NativeGatewayHarness {
  readonly #driven: DrivenActor<NatsGatewayState, NatsGatewayMessage, NatsGatewayEffect>;
  nowMs = 0;
  /** The tree's immediate answer to every check of a password; undefined: the check is left for the test. */
  verdict: Verdict | undefined = "right";
  #sequence = 0;
  effects: Effect[] = [];

  constructor({
    serves = true,
    digests = NO_DIGESTS,
  }: { readonly serves?: boolean; readonly digests?: Digests } = {}) {
    const actor = natsGatewayActor({
      server: 1 as ServerId,
      lane: 1,
      ensemble: "test",
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      failoverGraceMs: 1000,
      digests,
    });
    this.#driven = new DrivenActor(actor, this.#context());
    if (serves) this.lead(true);
  }

  give(message: NatsGatewayMessage): void {
    for (const effect of this.#driven.receive(message, this.#context())) {
      const told = effect.kind === "tell" ? (effect.message as TreeMessage) : undefined;
      if (told?.kind === "checkSession" && this.verdict !== undefined) {
        this.checked(told.client, this.verdict);
      } else {
        this.effects.push(effect);
      }
    }
  }

  /** Delivers the tree's verdict on the password of the connection's session. */
  checked(client: number, verdict: Verdict): void {
    this.give({ kind: "sessionChecked", client, zxid: 10 as Zxid, verdict });
  }

  /** Calls the actor as the runtime does: if it throws, its `recover` is called. */
  giveSupervised(message: NatsGatewayMessage): void {
    try {
      this.give(message);
    } catch (error) {
      this.recover(message, error);
    }
  }

  recover(message: NatsGatewayMessage, error: unknown = new Error("a bug")): void {
    this.effects.push(...this.#driven.recover(message, error, this.#context()));
  }

  /** Puts something into the output of this connection that cannot be encoded. */
  spoil(number: number): void {
    const item = {
      get kind(): never {
        throw new Error("a bug");
      },
    };
    this.#driven.state.connections.get(number)?.out.push(item as never);
  }

  lead(known: boolean, admission: WriteAdmission = "all"): void {
    const role = known ? "following" : "looking";
    this.give({ kind: "leadership", role, epoch: 1 as Epoch, leader: undefined, admission });
  }

  /** One frame with the next sequence number. */
  say(...items: ClientItem[]): void {
    this.#sequence += 1;
    this.frame(this.#sequence, items);
  }

  frame(sequence: number, items: readonly ClientItem[], reply: string = INBOX): void {
    this.bytes(encodeClientFrame({ sequence, items }), reply);
  }

  /** One frame with the next sequence number, of items as they are on the wire. */
  sayRaw(...items: unknown[]): void {
    this.#sequence += 1;
    this.bytes(encodeCbor([this.#sequence, items]));
  }

  bytes(bytes: Uint8Array, reply: string = INBOX): void {
    this.give({ kind: "clientMessage", subject: "zooid.test.gateway", reply, bytes });
  }

  ask(session: number, version: number = NATIVE_VERSION, reply: string = INBOX): void {
    const open = { kind: "open", version, password: PASSWORD, timeoutMs: 10_000 } as const;
    this.frame(0, [{ ...open, session: session as SessionId }], reply);
  }

  open(): void {
    this.ask(0);
    this.written(10, {
      kind: "session",
      session: SESSION,
      timeoutMs: 10_000,
      password: PASSWORD,
      attachedAt: 10 as Zxid,
    });
    this.published();
    this.tells();
  }

  /** A further connection with a session of its own; connections are numbered from 1. Returns its inbox. */
  openAnother(number: number): string {
    const inbox = `zooid.test.client.many.${number}`;
    this.ask(0, NATIVE_VERSION, inbox);
    const zxid = (1_000_000 + number) as Zxid;
    const session = zxid as number as SessionId;
    const result = { kind: "session", session, timeoutMs: 10_000, attachedAt: zxid } as const;
    const results = [{ ...result, password: PASSWORD }];
    this.give({ kind: "written", client: number, zxids: [zxid], results });
    this.published();
    return inbox;
  }

  /** The bytes that the gateway holds for requests. */
  get heldBytes(): number {
    return this.#driven.state.requestBytes;
  }

  written(zxid: number, ...results: OperationResult[]): void {
    const zxids = results.map((_, index) => (zxid + index) as Zxid);
    this.give({ kind: "written", client: 1, zxids, results });
  }

  tick(ms: number): void {
    this.nowMs += ms;
    this.give({ kind: "timer", timer: "tick" });
  }

  /** Returns what the client has received since the last call, in order. */
  published(): GatewayItem[] {
    this.give({ kind: "endOfTurn" });
    const items: GatewayItem[] = [];
    const rest: Effect[] = [];
    for (const effect of this.effects) {
      if (effect.kind === "publish") items.push(...decodeGatewayFrame(effect.bytes).items);
      else rest.push(effect);
    }
    this.effects = rest;
    return items;
  }

  /** Returns what other actors were told since the last call, as `actor kind`. */
  tells(): string[] {
    const tells = this.effects.filter((effect) => effect.kind === "tell");
    this.effects = [];
    return tells
      .filter(({ to }) => to !== "admin")
      .map(({ to, message }) => `${to} ${(message as { kind: string }).kind}`);
  }

  lastTold(kind: string): object {
    const told = this.effects.filter((effect) => effect.kind === "tell");
    const found = told.findLast(({ message }) => (message as { kind: string }).kind === kind);
    if (found === undefined) throw new Error(`nobody was told ${kind}`);
    return found.message;
  }

  #context(): Context {
    return {
      nowMs: this.nowMs,
      wallMs: 0,
      random: () => 0,
      randomBytes: (length) => new Uint8Array(length),
    };
  }
}

export function opened(): NativeGatewayHarness {
  const harness = new NativeGatewayHarness();
  harness.open();
  return harness;
}

export const get = (id: number, path = "/a"): ClientItem =>
  item(id, { kind: "read", read: { kind: "getData", path, watch: false } });
export const set = (id: number, path = "/a"): ClientItem =>
  item(id, { kind: "write", operation: { kind: "setData", path, data: null, version: -1 } });
export const item = (id: number, request: NativeRequest): ClientItem => ({
  kind: "request",
  id,
  request,
});
export const ended = (reason: string): unknown => ({ kind: "ended", reason });
